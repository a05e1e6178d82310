// The operator of the soak: a wrangler.toml, and the real command line that changes it.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TARGET, ended, textOf } from "../e2e/harness/commands.mjs";
import { sensitive } from "../e2e/harness/leaks.mjs";
import { interpreter, program, temporaryFolder } from "../e2e/harness/processes.mjs";
import { READERS } from "./reading.mjs";

/** The origins' own keys, which the ring begins with and goes back to. */
export const ORIGIN_KEYS = {
  sessionid: "DJANGO_KEY",
  flask: "FLASK_KEY",
  "connect.sid": "EXPRESS_KEY",
  session: "COOKIES_KEY",
};

/** Formats that a rule may go over to and back, as wrangler.toml has them, by digest. */
const FORMATS = {
  sessionid: { sha256: 'format = "django-session"', sha512: 'format = "django-session", digest = "sha512"' },
  session: { sha1: 'format = "keygrip"', sha256: 'format = "keygrip", digest = "sha256"' },
};

/** An installation after its first rotation: its folder, and the version that it describes. */
export async function operator() {
  const folder = temporaryFolder();
  const file = path.join(folder, "wrangler.toml");
  const secrets = {};
  let serial = 0;
  let versions = 0;

  /** Runs the command line in the folder: `{code, said}`. */
  async function countersign(args) {
    const env = { NO_COLOR: "1", COUNTERSIGN_URL: undefined, COUNTERSIGN_TOKEN: undefined };
    const child = program([path.join(TARGET, "debug/countersign"), ...args], env, { cwd: folder });
    child.stdin.on("error", () => {});
    child.stdin.end();
    const [text, code] = await Promise.all([textOf(child.stdout), ended(child)]);
    return { code, said: child.errors + text, text };
  }

  /** Makes a key by `keygen`, under `name`. */
  async function keygen(name) {
    const { code, text, said } = await countersign(["keygen"]);
    if (code !== 0) throw new Error(`keygen: ${said}`);
    secrets[name] = text.trim();
    sensitive(secrets[name]);
    return name;
  }

  /** What the file says now, as a version of the Worker. */
  async function version(label) {
    versions += 1;
    const toml = readFileSync(file, "utf8");
    const config = (await json(toml)).vars.COUNTERSIGN;
    return { label: `v${versions} ${label}`, toml, config, secrets: { ...secrets }, rings: rings(config) };
  }

  const self = {
    secrets,
    version,
    /** Writes the file as it was in a version. */
    takeBack: ({ toml }) => writeFileSync(file, toml),
    /** Edits by the command line, which must agree. */
    async edit(...args) {
      const { code, said } = await countersign([...args, "--offline"]);
      if (code !== 0) throw new Error(`countersign ${args.join(" ")} ended with ${code}:\n${said}`);
      return said;
    },
    /** Whether the command line refuses an edit, and leaves the file as it was. */
    async refuses(...args) {
      const before = readFileSync(file, "utf8");
      const { code } = await countersign([...args, "--offline"]);
      return code === 1 && readFileSync(file, "utf8") === before;
    },
    newKey: (rule) => keygen(`${rule.replaceAll(/\W/g, "_").toUpperCase()}_${(serial += 1)}`),
    /** What `check --against` says of the change from one version to another: `{forth, back, notes}`. */
    async verdict(from, to) {
      if (!to.config) {
        const { forth, back, notes } = await self.verdict(to, from);
        return { forth: back, back: forth, notes };
      }
      const [before, after] = ["before.toml", "after.toml"].map((name) => path.join(folder, name));
      if (from.config) writeFileSync(before, from.toml);
      writeFileSync(after, to.toml);
      const against = from.config ? before : "none";
      const files = ["--config", after, "--against", against];
      const { text, said } = await countersign(["check", "--no-secrets", "--json", ...files]);
      const change = text.startsWith("{") && JSON.parse(text).against[0];
      if (!change) throw new Error(`check gave no verdict:\n${said}`);
      return { forth: change.lost_by_change, back: change.lost_by_rollback, notes: change.notes };
    },
  };
  for (const name of Object.values(ORIGIN_KEYS)) await keygen(name);
  // not the first day, when the ring is the origin's own key: a Worker that does nothing would lose nobody then
  const current = {};
  for (const rule of Object.keys(ORIGIN_KEYS)) current[rule] = await self.newKey(rule);
  writeFileSync(file, configuration(current));
  return self;
}

/** No Worker: the origins' own keys and formats. */
export const NONE = {
  label: "no Worker",
  config: null,
  rings: Object.fromEntries(Object.entries(ORIGIN_KEYS).map(([rule, key]) => [rule, bare(rule, key)])),
};

function bare(rule, key) {
  const seals = { key, digest: READERS[rule].digests[0] };
  return { seals, opens: [seals], staged: [], old: [], accepts: [] };
}

/**
 * What each rule seals with and opens, `{key, digest}` each, and what its next steps go by: staged keys, those that once
 * were current, and digests that it accepts.
 */
function rings({ cookies }) {
  const ring = ({ name, digest, accept = [], keys: { current, fallbacks = [] } }) => {
    const [usual] = READERS[name].digests;
    const own = digest ?? usual;
    const accepts = accept.map((format) => ({ digest: format.digest ?? usual, isOld: "until" in format }));
    const keys = [current, ...fallbacks].map((key) => key.secret ?? key);
    const digests = [own, ...accepts.map(({ digest }) => digest)];
    const opens = keys.flatMap((key) => digests.map((digest) => ({ key, digest })));
    const [staged, old] = [false, true].map((isOld) =>
      fallbacks.filter((key) => Boolean(key.until) === isOld).map((key) => key.secret ?? key),
    );
    return { seals: { key: keys[0], digest: own }, opens, staged, old, accepts };
  };
  return Object.fromEntries(cookies.map((rule) => [rule.name, ring(rule)]));
}

/** How the command line is told of a rule's format. */
export const format = (rule, digest) => ["--rule", rule, "--format", FORMATS[rule][digest]];

/** Digests that a rule may go over to. */
export const otherDigests = (rule, digest) => Object.keys(FORMATS[rule] ?? {}).filter((other) => other !== digest);

// Python's library reads TOML from 3.11 on; pip brings the same reader for older ones.
const READ_TOML = `
import json, sys
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
json.dump(tomllib.loads(sys.stdin.read()), sys.stdout)
`;

async function json(toml) {
  const child = program([interpreter("venv-e2e"), "-c", READ_TOML]);
  child.stdin.end(toml);
  const [text, code] = await Promise.all([textOf(child.stdout), ended(child)]);
  if (code !== 0) throw new Error(`wrangler.toml was not read:\n${child.errors}`);
  return JSON.parse(text);
}

const cookie = (current, name, format, attributes, more = "") => `
[[vars.COUNTERSIGN.cookies]]
name       = "${name}"
format     = "${format}"
attributes = "${attributes}"
${more}keys       = { current = "${current[name]}", fallbacks = [], origin = "${ORIGIN_KEYS[name]}" }
`;

const configuration = (current) => `name = "soak"
main = "index.js"
compatibility_date = "2026-04-21"
routes = [{ pattern = "*.shop.example/*", zone_name = "shop.example" }]
workers_dev  = false
preview_urls = false

[vars.COUNTERSIGN]
mode = "enforce"
${cookie(current, "sessionid", "django-session", "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600", "max_age    = 1209600\n")}
${cookie(current, "flask", "flask-session", "Secure; HttpOnly; Path=/", "max_age    = 2678400\n")}
${cookie(current, "connect.sid", "express", "Path=/; HttpOnly; Secure", 'on_invalid = "reject"\n')}
${cookie(current, "session", "keygrip", "path=/; secure; httponly")}`;
