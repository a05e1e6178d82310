// Keys and the token in a Secrets Store of the account: read once before the first decision, fail-closed where the store
// does not answer, asked again by the next request. Miniflare has a store of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { ago, answer, NAVIGATION, pinned, rawOrigin, SECRETS, send, sensitive, signer } from "./harness.mjs";
import { assertNoLeak } from "./harness/leaks.mjs";

const sign = await signer({ after });
const at = ago(10);
const [newCopy, originCopy] = await Promise.all(["NEW_KEY", "ORIGIN_KEY"].map((key) => sign.session(key, { at })));
const sets = () => answer("200 OK", [`Set-Cookie: sessionid=${originCopy}; Path=/; HttpOnly; SameSite=Lax`]);
const TOKEN = "token-of-the-status-0123456789-0123456789";
Object.values({ ...SECRETS, TOKEN }).forEach(sensitive);

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const BUILD = path.join(PROJECT, "build");
const [, DATE] = /^compatibility_date *= *"(.*)"/m.exec(readFileSync(path.join(PROJECT, "wrangler.toml"), "utf8"));

/** Keeps what the Worker logs. */
class Kept extends Log {
  lines = [];
  log(line) {
    this.lines.push(line);
  }
}

/** The Worker, with `stored` (texts by name; none is in the store yet) bound from a store and the rest as secrets. */
async function shop(t, { stored, config = {} }) {
  const origin = await rawOrigin(t, sets);
  const log = new Kept(LogLevel.INFO);
  const logged = [];
  const plain = Object.entries(SECRETS).filter(([name]) => !(name in stored));
  const options = convertV4MiniflareOptions({
    log,
    handleStructuredLogs: ({ message }) => logged.push(message),
    name: "countersign",
    host: "127.0.0.1",
    port: 0,
    rootPath: BUILD,
    modulesRoot: BUILD,
    modules: [
      { type: "ESModule", path: path.join(BUILD, "index.js") },
      { type: "CompiledWasm", path: path.join(BUILD, "countersign_bg.wasm") },
    ],
    compatibilityDate: DATE,
    bindings: {
      ...Object.fromEntries(plain),
      COUNTERSIGN: pinned(config),
    },
    serviceBindings: { ORIGIN: { external: { address: `127.0.0.1:${origin.port}`, http: {} } } },
    secretsStoreSecrets: Object.fromEntries(
      Object.keys(stored).map((name) => [name, { store_id: "0123456789abcdef", secret_name: `shop-${name}` }]),
    ),
  });
  const server = new Miniflare(options);
  const url = await server.ready;
  t.after(async () => {
    await server.dispose();
    assertNoLeak(logText());
  });
  const logText = () => [...logged, ...log.lines].join("\n");
  const put = async (name) => (await server.getSecretsStoreSecretAPI(name))().create(stored[name]);
  const page = (cookie) => send(Number(url.port), { cookie, headers: NAVIGATION });
  return { origin, page, put, logText, port: Number(url.port) };
}

test("keys of a store are what the Worker re-signs by", async (t) => {
  const { origin, page, put } = await shop(t, { stored: { NEW_KEY: SECRETS.NEW_KEY, ORIGIN_KEY: SECRETS.ORIGIN_KEY } });
  await put("NEW_KEY");
  await put("ORIGIN_KEY");
  for (let turn = 0; turn < 3; turn += 1) {
    const reply = await page(`a=1; sessionid=${newCopy}`);
    assert.equal(origin.last.cookie, `a=1; sessionid=${originCopy}`);
    assert.deepEqual([reply.status, reply.setCookies.length], [200, 1]);
    assert.match(reply.setCookies[0], new RegExp(`^sessionid=${newCopy};`));
  }
});

test("a store that has no such secret answers 503 and says so, and the next request asks again", async (t) => {
  const { origin, page, put, logText } = await shop(t, { stored: { NEW_KEY: SECRETS.NEW_KEY } });
  for (let turn = 0; turn < 2; turn += 1) {
    const reply = await page(`sessionid=${newCopy}`);
    assert.deepEqual([reply.status, reply.header("cache-control")], [503, "no-store"]);
    assert.equal(reply.text, "Countersign is misconfigured\n");
  }
  assert.equal(origin.requests.length, 0);
  const told = /COUNTERSIGN\.keys\.current: the secret NEW_KEY could not be read from its Secrets Store; the next request/g;
  assert.equal(logText().match(told)?.length, 1, logText());
  await put("NEW_KEY");
  assert.equal((await page(`sessionid=${newCopy}`)).status, 200);
  assert.equal(origin.last.cookie, `sessionid=${originCopy}`);
});

test("a store that fails in observe lets traffic pass as it is, until it answers", async (t) => {
  const keys = { current: "ORIGIN_KEY", fallbacks: [], origin: "ORIGIN_KEY" };
  const stored = { ORIGIN_KEY: SECRETS.ORIGIN_KEY };
  const { origin, page, put, logText } = await shop(t, { stored, config: { mode: "observe", keys } });
  const forged = `sessionid=${newCopy}`;
  const reply = await page(forged);
  assert.equal(origin.last.cookie, forged);
  assert.deepEqual(reply.setCookies, [`sessionid=${originCopy}; Path=/; HttpOnly; SameSite=Lax`]);
  assert.match(logText(), /so traffic passes unchecked \(observe\)[^]*ORIGIN_KEY could not be read/);
  await put("ORIGIN_KEY");
  await page(forged);
  assert.match(logText(), /"bad-signature"/, "it is checked from now on");
});

test("the token of a store opens the status, once it is there", async (t) => {
  const { port, put, page, logText } = await shop(t, { stored: { COUNTERSIGN_TOKEN: TOKEN } });
  const status = () =>
    send(port, { path: "/.well-known/countersign", headers: { authorization: `Bearer ${TOKEN}` } });
  assert.notEqual((await status()).header("content-type"), "application/json");
  assert.match(logText(), /COUNTERSIGN_TOKEN could not be read from its Secrets Store/);
  assert.equal((await page(`sessionid=${newCopy}`)).status, 200, "without the token everything else works");
  await put("COUNTERSIGN_TOKEN");
  const reply = await status();
  assert.equal(reply.status, 200);
  assert.equal(JSON.parse(reply.text).problems.length, 0);
});
