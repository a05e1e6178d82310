// The folder of a user who has no clone: the files that a release brings and a wrangler.toml. The real wrangler
// deploys and runs it with nothing else beside it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ago, answer, NAVIGATION, rawOrigin, SECRETS, send, signer } from "./harness.mjs";
import { TARGET, ended, textOf } from "./harness/commands.mjs";
import { sensitive } from "./harness/leaks.mjs";
import { eachLine, end, program, temporaryFolder } from "./harness/processes.mjs";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const COUNTERSIGN = path.join(TARGET, "debug/countersign");
// As wrangler's own bin/wrangler.js starts it, without that process in between: a signal has to reach it.
const WRANGLER = [
  ...[process.execPath, "--no-warnings", "--experimental-vm-modules"],
  path.join(PROJECT, "node_modules/wrangler/wrangler-dist/cli.js"),
];
const WASM = "countersign_bg.wasm";
const [DATE] = /^compatibility_date.*$/m.exec(readFileSync(path.join(PROJECT, "wrangler.toml"), "utf8"));
const PATIENCE_MS = 30_000;
const GRACE_MS = 8_000;

const sign = await signer({ after });

test("what a release brings is deployed by wrangler, and the Worker's module byte for byte", async () => {
  const shop = await folder();
  await shop.run([...WRANGLER, "deploy", "--dry-run", "--outdir", "out"]);
  const modules = readdirSync(shop.file("out")).filter((name) => name.endsWith(WASM));
  assert.equal(modules.length, 1, readdirSync(shop.file("out")).join());
  const built = readFileSync(path.join(PROJECT, "build", WASM));
  assert.ok(readFileSync(shop.file("out", modules[0])).equals(built));
});

test("what a release brings runs under wrangler dev, and re-signs", async (t) => {
  const at = ago(10);
  const [newCopy, originCopy] = await Promise.all(["NEW_KEY", "ORIGIN_KEY"].map((key) => sign.session(key, { at })));
  const origin = await rawOrigin(t, () => answer("200 OK", [`Set-Cookie: sessionid=${originCopy}; Path=/; HttpOnly`]));
  const shop = await folder(origin);
  const { port } = await dev(t, shop);
  const reply = await send(port, { cookie: `sessionid=${newCopy}`, headers: NAVIGATION });
  assert.equal(origin.last.cookie, `sessionid=${originCopy}`);
  assert.deepEqual([reply.status, reply.setCookies], [200, [`sessionid=${newCopy}; Path=/; HttpOnly`]]);
});

test("a folder that is up to date pins the wrangler that the Worker is tested with", async () => {
  const shop = await folder();
  const versionIn = (file) => JSON.parse(readFileSync(file, "utf8")).devDependencies.wrangler;
  assert.equal(versionIn(shop.file("package.json")), versionIn(path.join(PROJECT, "package.json")));
  const again = await shop.run([COUNTERSIGN, "init", "--upgrade"]);
  assert.match(again, /every file is up to date/);
});

/** A folder that had nothing but its configuration and the record of an older release. */
async function folder(origin = { port: 9 }) {
  const own = temporaryFolder();
  const file = (...names) => path.join(own, ...names);
  const quiet = { CI: "1", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
  const env = { ...quiet, CLOUDFLARE_CF_FETCH_ENABLED: "false", COUNTERSIGN_WORKER: path.join(PROJECT, "build") };
  Object.assign(env, { XDG_CONFIG_HOME: file(".config"), WRANGLER_LOG_PATH: file(".config") });
  const self = {
    file,
    start: (command) => program(command, env, { cwd: own }),
    async run(command) {
      const child = self.start(command);
      child.stdin.end();
      const [text, code] = await Promise.all([textOf(child.stdout), ended(child)]);
      assert.equal(code, 0, child.errors + text);
      return text;
    },
  };
  mkdirSync(file("worker"));
  writeFileSync(file("worker/RELEASE.json"), JSON.stringify({ release: "0.0.0", wrangler: "4.0.0", files: {} }));
  writeFileSync(file("wrangler.toml"), toml(origin));
  const secrets = ["NEW_KEY", "ORIGIN_KEY"].map((name) => `${name}='${SECRETS[name]}'\n`);
  writeFileSync(file(".dev.vars"), secrets.join(""));
  await self.run([COUNTERSIGN, "init", "--upgrade"]);
  return self;
}

/** `wrangler dev` on a port of its own. */
async function dev(t, shop) {
  Object.values(SECRETS).forEach(sensitive);
  const ports = ["--port", "0", "--inspector-port", "0"];
  const child = shop.start([...WRANGLER, "dev", "--ip", "127.0.0.1", ...ports]);
  t.after(async () => {
    child.kill("SIGTERM"); // so that it ends workerd as well
    await Promise.race([once(child, "close"), setTimeout(GRACE_MS, undefined, { ref: false })]);
    await end(child);
  });
  const port = await new Promise((resolve, reject) => {
    const said = [];
    const tell = () => reject(new Error(`wrangler dev does not answer:\n${said.join("\n")}\n${child.errors}`));
    setTimeout(PATIENCE_MS, undefined, { ref: false }).then(tell);
    child.once("exit", tell);
    eachLine(child.stdout, (line) => {
      said.push(line);
      const [, port] = /Ready on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
      if (port) resolve(Number(port));
    });
  });
  return { port };
}

const toml = (origin) => `name = "shop"
main = "worker/index.js"
${DATE}
workers_dev = false
preview_urls = false

[vars.COUNTERSIGN]
mode = "enforce"
reports = "all"
origin_url = "http://127.0.0.1:${origin.port}"

[vars.COUNTERSIGN.keys]
current = "NEW_KEY"
origin = "ORIGIN_KEY"

[[vars.COUNTERSIGN.cookies]]
name = "sessionid"
format = "django-session"
max_age = 1209600
attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"
`;
