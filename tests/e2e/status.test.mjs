// The status endpoint: for the one who has the token; without it the path belongs to the origin.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import test, { after } from "node:test";
import { ago, answer, firstDay, passThrough, pinned, rawOrigin, SECRETS, send, signer, worker } from "./harness.mjs";

const sign = await signer({ after });
const TOKEN = "token-of-the-tests-5d0f7c3be1924a6688";
const PATH = "/.well-known/countersign";
const VERSION = { id: "8f6e8a3c", tag: "v7", timestamp: "2026-11-01T00:00:00Z" };
const bearer = (token = TOKEN) => ({ Authorization: `Bearer ${token}` });

async function edgeOf(t, config, { token = TOKEN, bindings = {} } = {}) {
  const origin = await rawOrigin(t, () => answer("200 OK", [], "the origin's"));
  const secrets = { ...SECRETS, ...(token && { COUNTERSIGN_TOKEN: token }) };
  const edge = await worker(t, { config, secrets, origin, bindings });
  return { edge, origin };
}

const ask = (edge, options = {}) => send(edge.port, { path: PATH, headers: bearer(), ...options });
const post = (edge, body) => ask(edge, { method: "POST", body });

test("the status tells ring, roles, rules and version, and may not be stored", async (t) => {
  const config = pinned({
    keys: {
      current: "NEW_KEY",
      fallbacks: [{ secret: "OLD_KEY", until: "2099-01-01T00:00:00Z" }],
      origin: "ORIGIN_KEY",
    },
  });
  const { edge, origin } = await edgeOf(t, config, { bindings: { CF_VERSION_METADATA: { json: VERSION } } });
  const told = await ask(edge);
  assert.equal(told.status, 200);
  assert.equal(told.header("cache-control"), "no-store");
  assert.equal(told.header("content-type"), "application/json");
  const status = told.json();
  assert.deepEqual(status.version, VERSION);
  assert.equal(status.mode, "enforce");
  assert.deepEqual(status.problems, []);
  assert.ok(Math.abs(status.now - ago(0)) < 60);
  assert.deepEqual(status.configuration, config);
  assert.deepEqual(
    status.keys.map(({ secret }) => secret),
    ["NEW_KEY", "OLD_KEY", "ORIGIN_KEY"],
  );
  assert.equal(origin.requests.length, 0);
});

test("a fingerprint is 32 bits under the token, and no key is told", async (t) => {
  const { edge } = await edgeOf(t, pinned());
  const told = await ask(edge);
  const mac = crypto.createHmac("sha256", TOKEN).update("key\0").update(SECRETS.NEW_KEY);
  assert.equal(told.json().keys[0].fingerprint, mac.digest("hex").slice(0, 8));
  for (const secret of [...Object.values(SECRETS), TOKEN]) assert.ok(!told.text.includes(secret));
});

test("without the right token the path belongs to the origin, cookies re-signed as anywhere", async (t) => {
  const { edge, origin } = await edgeOf(t, pinned());
  const value = await sign.session("NEW_KEY");
  const wrong = [{}, bearer("x".repeat(TOKEN.length)), bearer(TOKEN.slice(1)), { Authorization: TOKEN }];
  for (const headers of wrong) {
    const got = await ask(edge, { headers, cookie: `sessionid=${value}` });
    assert.equal(got.text, "the origin's");
    assert.equal(origin.last.path, PATH);
    const [, sent] = /^sessionid=(.*)$/.exec(origin.last.cookie);
    assert.deepEqual((await sign.readSession("ORIGIN_KEY", sent)).data, { user: "ada" });
  }
  await ask(edge, { headers: {}, method: "POST", body: `sessionid=${value}` });
  assert.equal(origin.last.body.toString(), `sessionid=${value}`);
  assert.equal((await send(edge.port, { path: `${PATH}/x`, headers: bearer() })).text, "the origin's");
  assert.equal((await send(edge.port, { path: `/?p=${PATH}`, headers: bearer() })).text, "the origin's");
});

const SPELLINGS = [
  `${PATH}/`,
  `/${PATH}`,
  "/.well-known//countersign",
  "/.well-known/countersig%6E",
  "/%2ewell-known%2Fcountersign",
  "/.well-known/countersig%256E",
  "/.Well-Known/Countersign",
  "/a/../.well-known/./countersign",
  `${PATH}/x/..`,
  `${PATH};x`,
  `${PATH};jsessionid=1/?a=1`,
  `${PATH}?a=1`,
  "/.well-known\\countersign",
];

test("every spelling of the path is the status with the token, and the site's own without it, as it came", async (t) => {
  const { edge, origin } = await edgeOf(t, pinned());
  const runtime = await passThrough(t, { origin }); // which resolves dot segments by itself
  const others = [{}, bearer("x".repeat(TOKEN.length)), { Authorization: "Basic dTpw" }];
  for (const path of SPELLINGS) {
    const told = await ask(edge, { path });
    assert.deepEqual([path, told.status, told.json().mode], [path, 200, "enforce"]);
    const looked = await ask(edge, { path, method: "POST", body: "sessionid=x" });
    assert.deepEqual([path, looked.json().fate], [path, "stripped"]);
    assert.equal(origin.requests.length, 0, path);
    for (const headers of others) {
      await ask(runtime, { path, headers });
      const { head } = origin.last;
      assert.equal((await ask(edge, { path, headers })).text, "the origin's", path);
      assert.equal(origin.last.head, head);
    }
    origin.requests.length = 0;
  }
});

test("the token reaches no origin, whatever the path, the scheme or the way there", async (t) => {
  const ways = {
    route: pinned(),
    origin_url: pinned({ origin_url: "http://app.internal.example" }),
    origin_header: pinned({ origin_header: { name: "X-Edge", secret: "NEW_KEY" } }),
    "a wrong configuration that passes": firstDay({ mode: "observe", reports: "nonsense" }),
  };
  const value = await sign.session("NEW_KEY");
  for (const [way, config] of Object.entries(ways)) {
    const { edge, origin } = await edgeOf(t, config);
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, `Token ${TOKEN}`, TOKEN]) {
      for (const path of ["/", "/countersign", `${PATH}/x`, `/?p=${PATH}`]) {
        for (const cookie of [undefined, "a=1", `sessionid=${value}`]) {
          const options = { path, cookie, method: "POST", body: "a=1", headers: { Authorization: authorization, "X-Own": "1" } };
          assert.equal((await send(edge.port, options)).text, "the origin's", way);
          const { last } = origin;
          assert.deepEqual([last.path, last.body.toString(), last.header("x-own")], [path, "a=1", "1"]);
          assert.ok(!last.head.includes(TOKEN), `${way}: ${last.head}`);
          assert.equal(last.header("authorization"), null);
        }
      }
    }
  }
});

test("the site's own Authorization headers arrive as they were sent", async (t) => {
  const { edge, origin } = await edgeOf(t, pinned());
  const same = "x".repeat(TOKEN.length);
  const headers = ["Basic dTpw", `Bearer ${same}`, same, `Bearer ${TOKEN}x`, `Digest username="${TOKEN}"`, "Bearer"];
  for (const header of headers) {
    await ask(edge, { path: "/api", headers: { Authorization: header } });
    assert.equal(origin.last.header("authorization"), header);
  }
});

test("a token under 32 bytes is none, and neither is one that is not set", async (t) => {
  const short = TOKEN.slice(0, 31);
  const { edge } = await edgeOf(t, pinned(), { token: short });
  assert.equal((await ask(edge, { headers: bearer(short) })).text, "the origin's");
  await edge.logged(/COUNTERSIGN_TOKEN: fewer than 32 bytes/);
  const { edge: bare } = await edgeOf(t, pinned(), { token: null });
  for (const token of ["", "undefined", TOKEN])
    assert.equal((await ask(bare, { headers: bearer(token) })).text, "the origin's");
});

test("a wrong configuration tells its problems, while all other traffic gets 503", async (t) => {
  const { edge, origin } = await edgeOf(t, pinned({ cookies: [{ name: "sessionid", format: "djnago-session" }] }));
  assert.equal((await send(edge.port)).status, 503);
  assert.equal((await ask(edge, { headers: {} })).status, 503);
  assert.equal((await ask(edge, { headers: bearer("x".repeat(40)) })).status, 503);
  const status = (await ask(edge)).json();
  assert.equal(status.mode, "refused");
  assert.equal(status.configuration, null); // it may hold a key in the wrong place
  assert.deepEqual(status.keys, []);
  assert.match(status.problems.find(({ path }) => path.endsWith("[0].format")).text, /did you mean "django-session"/);
  assert.equal((await post(edge, "sessionid=x")).status, 503);
  assert.equal(origin.requests.length, 0);
});

test("no configuration at all is told, too", async (t) => {
  const { edge } = await edgeOf(t, undefined);
  assert.equal((await ask(edge)).json().problems[0].path, "COUNTERSIGN");
});

test("a posted cookie gets verdict, key and age, never its payload, and is not logged", async (t) => {
  const { edge, origin } = await edgeOf(t, pinned());
  const value = await sign.session("OLD_KEY", { at: ago(1000) });
  const told = await post(edge, `sessionid=${value}\n`);
  const { verdict, key, role, age, fate, resealed_with, upgraded } = told.json();
  assert.deepEqual(
    { verdict, key, role, fate, resealed_with, upgraded },
    {
      verdict: "fallback",
      key: "OLD_KEY",
      role: "fallback",
      fate: "resealed",
      resealed_with: "ORIGIN_KEY",
      upgraded: true,
    },
  );
  assert.ok(age >= 1000 && age < 1060);
  assert.ok(!told.text.includes(value.split(":")[0]) && !told.text.includes("ada"));
  const refused = (await post(edge, `sessionid=${await sign.session("RETIRED_KEY")}`)).json();
  assert.deepEqual([refused.verdict, refused.fate, refused.key], ["bad-signature", "stripped", undefined]);
  assert.equal(origin.requests.length, 0);
});

test("what is no question is refused", async (t) => {
  const { edge } = await edgeOf(t, pinned());
  assert.equal((await post(edge, "nonsense")).status, 400);
  assert.equal((await post(edge, "x".repeat(100_000))).status, 413);
  assert.equal((await ask(edge, { method: "PUT", body: "x" })).status, 405);
  const head = await ask(edge, { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
});

test("the status is told under a host that is not served", async (t) => {
  const { edge } = await edgeOf(t, pinned());
  const host = "shop.example.workers.dev";
  assert.equal((await send(edge.port, { host })).status, 421);
  assert.equal((await ask(edge, { host, headers: {} })).status, 421);
  assert.equal((await ask(edge, { host })).status, 200);
});
