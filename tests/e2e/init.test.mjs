// `countersign init` in front of each framework's real site: it finds the cookie after a login, its key opens it, and
// the rule is the document's own. One folder then runs under the real `wrangler dev` and says what the proof promised.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { FRAMEWORKS } from "./frameworks/table.mjs";
import { browser, parseSetCookie, SECRETS } from "./harness.mjs";
import { TARGET } from "./harness/commands.mjs";
import { eachLine, program, served, temporaryFolder } from "./harness/processes.mjs";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

for (const framework of FRAMEWORKS) {
  const command = framework.command();
  const skip = !command && `not installed (Debian: ${framework.needs})`;
  test(`${framework.name} is recognised by its cookie and its key`, { skip }, (t) => isRecognised(t, framework, command));
}

async function isRecognised(t, framework, command) {
  const secrets = { ...SECRETS, ...framework.keys };
  const env = { ORIGIN_KEY: secrets.ORIGIN_KEY, ORIGIN_KEY_ID: "ORIGIN_KEY" };
  const site = await served(t, program(command, env));
  const { rule } = framework;
  const isWrapped = rule.format === "sealed";
  const how = isWrapped ? ["--wrap", rule.name] : ["--cookie", rule.name, ...keyFile(secrets.ORIGIN_KEY)];
  const url = `http://127.0.0.1:${site.port}/login?user=ada`;
  const said = JSON.parse(await init([url, "--dry-run", "--json", ...how]));

  assert.ok(!JSON.stringify(said).includes(secrets.ORIGIN_KEY), "it shows the key");
  const found = said.cookies.find(({ name }) => name === rule.name);
  const written = said.configuration.cookies[0];
  if (isWrapped) return assert.equal(written.format, "plain");
  assert.equal(found.verdict, "current");
  const encoding = said.configuration.keys.current.encoding;
  assert.equal(encoding, framework.encoding);
  isAs(written, rule);
}

/** The rule is the document's, but for what takes another key's place or what a rotation needs. */
function isAs(written, rule) {
  const { attributes, origin, accept, key_version, kid, max_age, chunks, ...documented } = rule;
  const { attributes: own, id, max_age: _, chunks: __, ...found } = written;
  const expected = origin ? { name: rule.name, ...origin } : documented;
  if (expected.alg === "HS256") delete expected.alg; // the default
  // a value without any character that would be encoded does not tell
  if (!found.encoded && expected.format === "fastify-cookie") delete expected.encoded;
  assert.deepEqual(found, expected);
  assert.equal(/max-age/i.test(own), /max-age/i.test(attributes), `${own} for ${attributes}`);
  assert.ok(!/expires/i.test(own), own);
}

function keyFile(key) {
  const file = path.join(temporaryFolder(), "key.txt");
  writeFileSync(file, `"${key}"\n`);
  return ["--key-file", file];
}

const EXPRESS = FRAMEWORKS.find(({ name }) => name === "cookie-session of Express");
const FLASK = FRAMEWORKS.find(({ name }) => name === "Flask's session");

for (const framework of [FLASK, EXPRESS]) {
  test(`from an empty folder to a verdict in observe: ${framework.name}`, (t) => observes(t, framework));
}

async function observes(t, framework) {
  const key = "it's the site's #1 key, of more than thirty-two bytes";
  const site = await served(t, program(framework.command(), { ORIGIN_KEY: key }));
  const folder = path.join(temporaryFolder(), "shop");
  const url = `http://127.0.0.1:${site.port}/login?user=ada`;
  await init([url, "--yes", ...keyFile(key), "--folder", folder]);

  const { stdout: checked } = await countersign(["check"], { cwd: folder });
  assert.equal(checked, "nothing is wrong\n");
  const { dev } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")).scripts;
  assert.equal(dev.split(" ").slice(0, 2).join(" "), "wrangler dev");
  // in the place of `npm install`
  symlinkSync(path.join(PROJECT, "node_modules"), path.join(folder, "node_modules"));
  t.after(() => rmSync(path.join(folder, "node_modules")));

  const { port, verdicts } = await wranglerDev(t, folder, dev.split(" ").slice(2));
  const ada = browser({ port });
  const login = await ada.go("/login?user=ada");
  assert.ok(login.setCookies.map(parseSetCookie).some(({ name }) => name === framework.rule.name));
  assert.equal((await ada.go("/")).text, "ada");
  await verdicts.until("current");
  assert.deepEqual([...new Set(verdicts.seen)].sort(), ["current", "sealed"]);
}

async function wranglerDev(t, folder, args) {
  const wrangler = path.join(PROJECT, "node_modules/wrangler/bin/wrangler.js");
  const child = program(
    [process.execPath, wrangler, "dev", "--port=0", "--ip=127.0.0.1", ...args],
    { CI: "1", WRANGLER_SEND_METRICS: "false" },
    { cwd: folder },
  );
  const closed = once(child, "close");
  t.after(async () => {
    child.kill("SIGTERM"); // it ends its workerd
    await closed;
  });
  const seen = [];
  const told = new EventEmitter();
  const port = await new Promise((resolve, reject) => {
    closed.then(([code]) => reject(new Error(`wrangler dev ended with ${code}:\n${child.errors}`)));
    eachLine(child.stdout, (line) => {
      const ready = /Ready on http:\/\/[^:]+:(\d+)/.exec(line);
      if (ready) resolve(Number(ready[1]));
      if (!line.startsWith('{"')) return;
      seen.push(...JSON.parse(line).verdicts.map(({ verdict }) => verdict));
      told.emit("line");
    });
  });
  /** Waits until a verdict has been seen. */
  const until = async (verdict) => {
    while (!seen.includes(verdict)) await once(told, "line", { signal: AbortSignal.timeout(10_000) });
  };
  return { port, verdicts: { seen, until } };
}

const init = async (args) => (await countersign(["init", ...args])).stdout;

function countersign(args, options = {}) {
  const { COUNTERSIGN_TOKEN: _, ...env } = process.env;
  const carried = { ...env, COUNTERSIGN_WORKER: path.join(PROJECT, "build") };
  return promisify(execFile)(path.join(TARGET, "debug/countersign"), args, { env: carried, ...options });
}
