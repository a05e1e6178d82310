// The ledger in the real runtime: what it counts, what it keeps, what becomes of it when something fails.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ago, answer, NAVIGATION, pinned, rawOrigin, SECRETS, send, SESSION, signer, worker } from "./harness.mjs";
import { around, batch, ledger, ledgerSite, POSTS, repeated, row, sums, TOKEN, version } from "./harness/ledger.mjs";
import { miniflare } from "./harness/miniflare.mjs";
import { temporaryFolder } from "./harness/processes.mjs";
import { ACCOUNT, collected } from "./harness/repeating.mjs";

const FAULT = fileURLToPath(new URL("../../build-fault/", import.meta.url));
const sign = await signer({ after });
const KEYS = ["NEW_KEY", "OLD_KEY", "ORIGIN_KEY", "RETIRED_KEY"];
const [current, old, originCopy, forged] = await Promise.all(KEYS.map((key) => sign.session(key, { at: ago(10) })));
const sets = () => answer("200 OK", [`Set-Cookie: sessionid=${originCopy}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600`]);
const DAY = 86_400;

const told = async (port, query) => (await ledger(port, query)).json().ledger;

async function until(holds) {
  for (const end = Date.now() + 3000; !(await holds());) {
    if (Date.now() > end) throw new Error("waited in vain");
    await setTimeout(10);
  }
}

test("one sees one's own requests: opened, sealed, upgraded, refused, withheld, by rule and key", async (t) => {
  const { edge, origin } = await ledgerSite(t, { handle: sets });
  await send(edge.port, { cookie: `sessionid=${current}` });
  origin.handle = () => answer("200 OK");
  await send(edge.port, { cookie: `sessionid=${old}`, headers: NAVIGATION });
  await send(edge.port, { cookie: `sessionid=${old}` });
  await send(edge.port, { cookie: `sessionid=${forged}` });
  await send(edge.port, { cookie: "a=1" });
  const reply = await ledger(edge.port);
  assert.deepEqual([reply.status, reply.header("cache-control")], [200, "no-store"]);
  assert.equal(reply.header("content-type"), "application/json");
  const { countersign, now, ledger: account } = reply.json();
  assert.equal(countersign, "0.1.0");
  assert.ok(Math.abs(now - ago(0)) < 60);
  const expected = {
    "sessionid NEW_KEY current": 1,
    "sessionid NEW_KEY sealed": 1,
    "sessionid NEW_KEY upgraded": 1,
    "sessionid OLD_KEY fallback": 2,
    "sessionid upgrade-withheld not-navigation": 1,
    "sessionid bad-signature": 1,
  };
  assert.deepEqual(sums(account.hours), expected);
  assert.deepEqual(sums(account.days), expected);
  assert.ok(account.hours.every(({ at }) => at % 3600 === 0 && at <= now && at > now - 7200));
  assert.ok(account.days.every(({ at }) => at % DAY === 0 && at <= now && at > now - 2 * DAY));
  const [fresh, stale] = account.keys;
  assert.deepEqual([account.keys.length, fresh.key, stale.key], [2, "NEW_KEY", "OLD_KEY"]);
  for (const field of ["first_opened", "last_opened", "first_sealed", "last_sealed"]) {
    assert.ok(Math.abs(fresh[field] - now) < 60, field);
  }
  assert.deepEqual(Object.keys(stale), ["rule", "key", "first_opened", "last_opened"]);
  assert.ok(Math.abs(account.since - now) < 60);
  for (const secret of [...Object.values(SECRETS), TOKEN, current, old, forged]) assert.ok(!reply.text.includes(secret));
});

test("hours or days alone are told where they are asked for", async (t) => {
  const { edge } = await ledgerSite(t);
  await send(edge.port, { cookie: `sessionid=${current}` });
  assert.deepEqual(Object.keys(await told(edge.port, "ledger=hours")), ["since", "keys", "hours"]);
  assert.deepEqual(Object.keys(await told(edge.port, "a=1&ledger=days")), ["since", "keys", "days"]);
});

test("without the binding there is no ledger, and without the token nobody is told", async (t) => {
  const { edge, origin } = await ledgerSite(t, { bindings: {}, handle: () => answer("200 OK", [], "the origin's") });
  const reply = await ledger(edge.port);
  assert.deepEqual([reply.status, reply.json()], [404, { error: "no ledger is bound" }]);
  assert.equal(origin.requests.length, 0);
  const { edge: bound } = await ledgerSite(t, { handle: () => answer("200 OK", [], "the origin's") });
  const shown = { Authorization: `Bearer ${"x".repeat(TOKEN.length)}` };
  for (const headers of [{}, shown]) {
    const got = await send(bound.port, { path: "/.well-known/countersign?ledger", headers });
    assert.equal(got.text, "the origin's");
  }
});

test("10,000 requests to two isolates, with a restart in between, are counted one by one", async (t) => {
  const build = repeated();
  const { edge } = await ledgerSite(t, { build, beside: { second: { build, ...version() } } });
  const both = () => [edge.port, edge.ports.second];
  const ask = async (port, times, cookie) => {
    await send(port, { method: "PUT", body: JSON.stringify({ times, headers: [] }) });
    assert.equal((await send(port, { cookie })).status, 200);
    await send(port, { method: "PUT", body: JSON.stringify({ times: 1, headers: [] }) });
  };
  for (const port of both()) {
    await Promise.all([ask(port, 1_500, `sessionid=${current}`)]);
    await ask(port, 1_000, `sessionid=${old}`);
    assert.equal((await ledger(port)).status, 200);
  }
  await edge.restart(version());
  for (const port of both()) {
    await ask(port, 2_000, `sessionid=${current}`);
    await ask(port, 500, `sessionid=${forged}`);
  }
  await told(edge.ports.second);
  const { hours, days } = await told(edge.port);
  const expected = {
    "sessionid NEW_KEY current": 7_000,
    "sessionid OLD_KEY fallback": 2_000,
    "sessionid upgrade-withheld not-navigation": 2_000,
    "sessionid bad-signature": 1_000,
  };
  assert.deepEqual(sums(hours), expected);
  assert.deepEqual(sums(days), expected);
});

test("the first use of a key that is not current is in the ledger at once", async (t) => {
  const { edge } = await ledgerSite(t, { beside: { second: version() } });
  await send(edge.port, { cookie: `sessionid=${current}` });
  await send(edge.port, { cookie: `sessionid=${old}` });
  await until(async () => sums((await told(edge.ports.second)).hours)["sessionid OLD_KEY fallback"] === 1);
});

// 25 s are 250 ms here
const HURRIES = `import worker from "./built.js";
export * from "./built.js";
const { wait } = scheduler;
scheduler.wait = (ms) => wait.call(scheduler, ms / 100);
export default worker;`;

test("what a quiet isolate has counted comes without another request", async (t) => {
  const { edge } = await ledgerSite(t, { handle: sets, build: around(HURRIES), beside: { second: version() } });
  await send(edge.port, { cookie: `sessionid=${current}` });
  await until(async () => sums((await told(edge.ports.second)).hours)["sessionid NEW_KEY sealed"] === 1);
  await send(edge.port, { cookie: `sessionid=${current}` });
  await until(async () => sums((await told(edge.ports.second)).hours)["sessionid NEW_KEY sealed"] === 2);
});

/** The Worker whose object does as `body` says, which may call `super.fetch(request)`; `calls` counts. */
const failing = (body) => around(`import worker, { Ledger as Own } from "./built.js";
let calls = 0;
export class Ledger extends Own {
  async fetch(request) { calls += 1; ${body} }
}
export default { fetch: (request, env, context) =>
  request.url.endsWith("/calls") ? new Response(String(calls)) : worker.fetch(request, env, context) };`);

test("a thousand requests are one call to the object", async (t) => {
  const { edge } = await ledgerSite(t, { build: failing("return super.fetch(request);") });
  for (let time = 0; time < 10; time += 1) {
    await Promise.all(Array.from({ length: 100 }, () => send(edge.port, { cookie: `sessionid=${current}` })));
  }
  const calls = async () => Number((await send(edge.port, { path: "/calls" })).text);
  assert.ok((await calls()) <= 1, `${await calls()} calls`);
  const { hours } = await told(edge.port);
  assert.deepEqual(sums(hours), { "sessionid NEW_KEY current": 1_000 });
});

const FAILURES = {
  "it throws": `if (calls <= 2) throw new Error("the object is broken");`,
  "it answers 500": `if (calls <= 2) return new Response("broken", { status: 500 });`,
  "its answer is lost": `const reply = await super.fetch(request); if (calls <= 2) throw new Error("lost"); return reply;`,
};

for (const [what, body] of Object.entries(FAILURES)) {
  test(`a ledger that fails costs no request, and its counts come later, once: ${what}`, async (t) => {
    const { edge, origin } = await ledgerSite(t, { build: failing(`${body} return super.fetch(request);`) });
    const page = async () => assert.equal((await send(edge.port, { cookie: `sessionid=${old}` })).status, 200);
    await page();
    await edge.logged(/countersign: the ledger did not take the counts of this isolate/);
    for (let time = 0; time < 4; time += 1) await page();
    assert.equal(origin.requests.length, 5);
    const uses = async () => sums((await ledger(edge.port)).json().ledger?.hours ?? [])["sessionid OLD_KEY fallback"];
    await until(async () => (await uses()) === 5);
    assert.equal(await uses(), 5);
    const lines = edge.logs().filter(({ message }) => message.includes("the ledger did not take"));
    assert.equal(lines.length, 1);
  });
}

test("a ledger that has failed is not asked for its account in vain: the status says so", async (t) => {
  const { edge } = await ledgerSite(t, { build: failing(`throw new Error("the object is broken");`) });
  assert.equal((await send(edge.port, { cookie: `sessionid=${old}` })).status, 200);
  const reply = await ledger(edge.port);
  assert.deepEqual([reply.status, reply.json()], [503, { error: "the ledger does not answer" }]);
});

test("an object that never answers holds up no request", async (t) => {
  const { edge } = await ledgerSite(t, { build: failing("await scheduler.wait(60_000);") });
  const began = Date.now();
  for (let time = 0; time < 5; time += 1) {
    assert.equal((await send(edge.port, { cookie: `sessionid=${old}` })).status, 200);
  }
  assert.ok(Date.now() - began < 3_000);
});

test("a LEDGER that is something else does no harm, and the status says that it does not answer", async (t) => {
  for (const LEDGER of [{ json: { get: "no function" } }, "text"]) {
    const { edge } = await ledgerSite(t, { bindings: { LEDGER } });
    assert.equal((await send(edge.port, { cookie: `sessionid=${old}` })).status, 200);
    await edge.logged(/the ledger did not take the counts/);
    const reply = await ledger(edge.port);
    assert.deepEqual([reply.status, reply.json()], [503, { error: "the ledger does not answer" }]);
  }
});

test("two versions write to one ledger: what a newer one adds is kept, and its other fields do no harm", async (t) => {
  const { edge } = await ledgerSite(t, { beside: { newer: { build: around(POSTS), ...version() } } });
  const post = (body) => send(edge.ports.newer, { method: "POST", body });
  await send(edge.port, { cookie: `sessionid=${current}` });
  const rows = [
    row({ count: 7 }),
    row({ verdict: "half-open", reason: "of-tomorrow", count: 2, country: "XX" }),
    row({ key: "KEY_2030", rule: "basket", verdict: "sealed", count: 3 }),
  ];
  assert.equal((await post(batch(rows, { release: "9.0.0", sampled: [1, 2] }))).status, 200);
  const { hours, keys } = await told(edge.port);
  assert.deepEqual(sums(hours), {
    "basket KEY_2030 sealed": 3,
    "sessionid NEW_KEY current": 8,
    "sessionid NEW_KEY half-open of-tomorrow": 2,
  });
  assert.deepEqual(keys.map(({ rule, key }) => `${rule} ${key}`), ["basket KEY_2030", "sessionid NEW_KEY"]);
});

test("a batch counts once, however often it is sent, and what is no batch counts nothing", async (t) => {
  const { edge } = await ledgerSite(t, { beside: { posts: { build: around(POSTS), ...version() } } });
  const post = async (body) => (await send(edge.ports.posts, { method: "POST", body })).status;
  const isolate = "0123456789abcdef";
  const first = batch([row({ count: 5 })], { isolate });
  for (let time = 0; time < 3; time += 1) assert.equal(await post(first), 200);
  assert.equal(await post(batch([row({ count: 2 })], { isolate, number: 2 })), 200);
  assert.equal(await post(first), 200);
  const wrong = [
    "",
    "[]",
    "{",
    batch([row()], { isolate: "short" }),
    batch([row({ count: 0 })]),
    batch([row({ count: -1 })]),
    batch([row({ count: 1.5 })]),
    batch([row({ at: 1 })]),
    batch([row({ ago: 40 * DAY })]),
    batch([row({ ago: -3 * 3600 })]),
    batch([row(), row({ key: "a value" })]),
    batch([row({ verdict: "<script>" })]),
    batch([row({ rule: "a=b" })]),
    batch(Array.from({ length: 1_001 }, () => row())),
    "x".repeat(600_000),
  ];
  for (const body of wrong) assert.equal(await post(body), 400, body.slice(0, 100));
  assert.deepEqual(sums((await told(edge.port)).hours), { "sessionid NEW_KEY current": 7 });
});

test("hours become days after 14 days, days end after 400, and the first and last use stay", async (t) => {
  const { edge } = await ledgerSite(t);
  await send(edge.port, { cookie: `sessionid=${old}` });
  const young = await told(edge.port);
  const uses = { "sessionid OLD_KEY fallback": 1, "sessionid upgrade-withheld not-navigation": 1 };
  assert.deepEqual([sums(young.hours), sums(young.days)], [uses, uses]);
  const steps = [
    [13 * DAY, uses, uses],
    [15 * DAY, {}, uses],
    [399 * DAY, {}, uses],
    [402 * DAY, {}, {}],
  ];
  for (const [shift, hours, days] of steps) {
    await edge.restart(version({ shift }));
    const account = await told(edge.port);
    assert.deepEqual([shift, sums(account.hours), sums(account.days)], [shift, hours, days]);
    assert.deepEqual([account.keys, account.since], [young.keys, young.since]);
  }
  assert.deepEqual((await told(edge.port)).days, []);
});

test("a panic loses at most what was not handed over, and both Worker and object go on", async (t) => {
  const config = pinned({ reports: "none", cookies: [SESSION, { ...SESSION, name: "ledger-fault" }] });
  const { edge } = await ledgerSite(t, { build: FAULT, config });
  const page = (cookie) => send(edge.port, { cookie });
  await page(`sessionid=${current}`);
  assert.deepEqual(sums((await told(edge.port)).hours), { "sessionid NEW_KEY current": 1 });
  assert.equal((await page("countersign-fault=panic")).status, 500);
  await page(`sessionid=${current}`);
  assert.deepEqual(sums((await told(edge.port)).hours), { "sessionid NEW_KEY current": 2 });

  assert.equal((await page(`ledger-fault=${current}`)).status, 200);
  assert.ok((await ledger(edge.port)).status >= 200); // the object panics at what is handed over
  await edge.logged(/countersign: a panic at src\/worker\/ledger\.rs/);
  assert.equal((await page(`sessionid=${current}`)).status, 200);
  assert.deepEqual(sums((await told(edge.port)).hours), { "sessionid NEW_KEY current": 3 });
});

test("an isolate with a ledger keeps nothing of its requests", async (t) => {
  const { edge } = await ledgerSite(t, { build: repeated(), v8Flags: ACCOUNT });
  const ask = async (method, body) => (await send(edge.port, { method, body })).text;
  const lines = () => edge.logs().map(({ message }) => message);
  const after = async (times) => {
    await ask("PUT", JSON.stringify({ times, headers: [] }));
    assert.equal((await send(edge.port, { cookie: `sessionid=${old}`, headers: NAVIGATION })).status, 200);
    return collected(ask, lines);
  };
  const few = await after(3_000);
  const many = await after(20_000);
  assert.equal(many.wasm, few.wasm, "the memory of the wasm has grown");
  assert.ok(many.heap - few.heap < 100, `${few.heap} KiB, and after 20,000 requests more ${many.heap} KiB`);
});

const TOML = (origin) => `
[[durable_objects.bindings]]
name = "LEDGER"
class_name = "Ledger"

[[migrations]]
tag = "ledger"
new_sqlite_classes = ["Ledger"]

[vars.COUNTERSIGN]
origin_url = "http://127.0.0.1:${origin.port}"
reports = "none"
keys = { current = "NEW_KEY", fallbacks = ["OLD_KEY"], origin = "ORIGIN_KEY" }

[[vars.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600
attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"
`;

test("wrangler dev runs the ledger that wrangler.toml binds", async (t) => {
  const origin = await rawOrigin(t);
  const secrets = { ...SECRETS, COUNTERSIGN_TOKEN: TOKEN };
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  const files = { "wrangler.toml": TOML(origin), ".dev.vars": lines.join("") };
  const edge = await miniflare(t, { files, secrets });
  await send(edge.port, { cookie: `sessionid=${old}` });
  assert.equal(sums((await told(edge.port)).days)["sessionid OLD_KEY fallback"], 1);
});
