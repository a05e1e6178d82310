// `npm start -- --origin URL`: what `countersign init` says of a site, and a configuration that only observes it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import path from "node:path";
import { CONFIGURATION, SECRETS } from "./configuration.mjs";

const PATIENCE_MS = 60_000;

/** Prints what init finds at `origin`; writes `folder`/wrangler.toml where it has no rules; resolves with `{key, hasRules}`. */
export async function ownSite({ origin, folder, cli, say = console.log }) {
  mkdirSync(folder, { recursive: true });
  const found = await foundAt(origin, cli);
  say(
    found.isKnown
      ? `countersign init ${origin} --dry-run\n\n${found.text}`
      : `${origin} was not looked at: ${found.text}`,
  );
  const key = keyIn(found.text);
  const [file, secrets] = [CONFIGURATION, SECRETS].map((name) => path.join(folder, name));
  if (!existsSync(secrets))
    writeFileSync(secrets, `# ${key}='…'   the key that the site signs its cookies with\n`, { mode: 0o600 });
  if (existsSync(file) && rulesIn(readFileSync(file, "utf8")).length) return { key, hasRules: true }; // somebody's own work
  const hasKey = new RegExp(`^\\s*${key}\\s*=`, "m").test(readFileSync(secrets, "utf8"));
  const rules = hasKey ? rulesIn(found.text) : [];
  writeFileSync(file, configurationWith(key, rules));
  return { key, hasRules: rules.length > 0 };
}

/** The name of the site's key in what init prints, or one for a key that it does not know. */
const keyIn = (text) => /^\s*origin\s*=\s*"([A-Z][A-Z0-9_]*)"/m.exec(text)?.[1] ?? "SITE_KEY";

function foundAt(origin, cli) {
  const args = ["init", origin, "--dry-run", "--yes"];
  return new Promise((resolve) => {
    execFile(cli, args, { timeout: PATIENCE_MS, env: { ...process.env, NO_COLOR: "1" } }, (error, stdout, stderr) => {
      if (!error) return resolve({ isKnown: true, text: stdout.trim() });
      resolve({ isKnown: false, text: /^error: (.*)$/m.exec(stderr)?.[1] ?? error.message });
    });
  });
}

const RULE = "[[vars.COUNTERSIGN.cookies]]";

/** The rules that a text holds: each begins with the table's name and ends at a line that is none of its fields. */
export function rulesIn(text) {
  const lines = text.split("\n").map((line) => line.trim());
  const starts = lines.flatMap((line, i) => (line === RULE ? [i] : []));
  return starts.map((start) => {
    const rest = lines.slice(start + 1);
    const end = rest.findIndex((line) => !/^\w+\s*=/.test(line));
    return [RULE, ...rest.slice(0, end === -1 ? undefined : end)].join("\n");
  });
}

const configurationWith = (
  key,
  rules,
) => `# Made by npm start -- --origin. It is yours to edit: a file with rules is kept.
name = "countersign-observes"
main = "../../../build/index.js"
compatibility_date = "2026-04-21"

[version_metadata]
binding = "CF_VERSION_METADATA"

[vars.COUNTERSIGN]
mode = "observe"   # reports, and changes nothing

[vars.COUNTERSIGN.keys]
current   = "${key}"
fallbacks = []
origin    = "${key}"

${rules.length ? rules.join("\n\n") : NO_RULES}
`;

const NO_RULES = `# A rule for each signed cookie of the site, from docs/formats.md. Until there is one, the log asks for it.
# ${RULE}
# name       = "sessionid"
# format     = "django-session"
# max_age    = 1209600
# attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"`;
