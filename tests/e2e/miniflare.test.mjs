// From the files that an operator writes to the Worker that runs: wrangler.toml to the JSON variable, .dev.vars to
// secrets, a missing secret, a rotation, a panic.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test, { after } from "node:test";
import { ago, answer, NAVIGATION, rawOrigin, SECRETS, send, signer } from "./harness.mjs";
import { miniflare } from "./harness/miniflare.mjs";

const sign = await signer({ after });
const at = ago(10);
const KEYS = ["NEW_KEY", "OLD_KEY", "ORIGIN_KEY"];
const [newCopy, oldCopy, originCopy] = await Promise.all(KEYS.map((key) => sign.session(key, { at })));
const sets = () => answer("200 OK", [`Set-Cookie: sessionid=${originCopy}; Path=/; HttpOnly`]);

/** As the documents write them: every value is quoted. */
const devVars = (secrets = SECRETS) => {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  return lines.join("");
};

const ring = (current, ...fallbacks) =>
  `current = "${current}"\nfallbacks = ${JSON.stringify(fallbacks)}\norigin = "ORIGIN_KEY"`;

const toml = (origin, { mode = "enforce", keys = ring("NEW_KEY", "OLD_KEY"), path = "vars" } = {}) => `
[${path}.COUNTERSIGN]
mode = "${mode}"
origin_url = "http://127.0.0.1:${origin.port}"

[${path}.COUNTERSIGN.keys]
${keys}

[[${path}.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600
attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"
`;

/** The two files; `secrets` are lines of the second. */
const files = (changes, secrets = devVars()) => (origin) => ({
  "wrangler.toml": toml(origin, changes),
  ".dev.vars": secrets,
});

/** The Worker in front of an origin that sets its session; `written` tells the files of the folder. */
async function shop(t, written, options = {}) {
  const origin = await rawOrigin(t, sets);
  const edge = await miniflare(t, { files: written(origin), secrets: SECRETS, ...options });
  const page = (cookie) => send(edge.port, { cookie, headers: NAVIGATION });
  return { origin, edge, page };
}

const sees = (origin) => origin.last.cookie;

test("a table of wrangler.toml and the secrets of .dev.vars are what the Worker re-signs by", async (t) => {
  const { origin, page } = await shop(t, files());
  const reply = await page(`a=1; sessionid=${newCopy}`);
  assert.equal(sees(origin), `a=1; sessionid=${originCopy}`);
  assert.deepEqual([reply.status, reply.setCookies], [200, [`sessionid=${newCopy}; Path=/; HttpOnly`]]);
});

test("a value of .dev.vars in single quotes is taken whole, # and all", async (t) => {
  const quoted = devVars().replaceAll('"', "'");
  assert.match(quoted, /ORIGIN_KEY='[^']*#/);
  const { origin, page } = await shop(t, files({}, quoted));
  await page(`sessionid=${newCopy}`);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
});

test("a value of .dev.vars that is not quoted ends at #, and then the site's cookies do not verify", async (t) => {
  const bare = devVars().replace(/ORIGIN_KEY="(.*)"/, "ORIGIN_KEY=$1");
  const { edge, page } = await shop(t, files({}, bare));
  const reply = await page(`sessionid=${newCopy}`);
  assert.deepEqual(reply.setCookies, [`sessionid=${originCopy}; Path=/; HttpOnly`]);
  await edge.logs(/"origin-unverified"/);
});

test("a secret that is missing answers 503, and the log names it and how to set it", async (t) => {
  const { OLD_KEY: _, ...others } = SECRETS;
  const { edge, origin, page } = await shop(t, files({}, devVars(others)));
  const reply = await page(`sessionid=${newCopy}`);
  assert.deepEqual([reply.status, reply.header("cache-control")], [503, "no-store"]);
  assert.equal(reply.text, "Countersign is misconfigured\n");
  await edge.logs(/COUNTERSIGN\.keys\.fallbacks\[0\]: the secret OLD_KEY is not set; .*wrangler secret put OLD_KEY/);
  assert.equal(origin.requests.length, 0);
  await edge.restart({ ".dev.vars": devVars() });
  assert.equal((await page(`sessionid=${newCopy}`)).status, 200);
});

test("a secret that is missing in observe lets traffic pass as it is", async (t) => {
  const { edge, origin } = await shop(t, files({ mode: "observe", keys: ring("ORIGIN_KEY") }, ""));
  // a wrong configuration says nothing of an origin: it is where the visitor asks
  const headers = { Cookie: `sessionid=${originCopy}` };
  const reply = await edge.fetch(`http://127.0.0.1:${origin.port}/`, { headers });
  assert.deepEqual([reply.status, reply.headers.getSetCookie()], [200, [`sessionid=${originCopy}; Path=/; HttpOnly`]]);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
  await edge.logs(/the secret ORIGIN_KEY is not set/);
});

test("a date in quotes ends a fallback", async (t) => {
  const until = (year) => {
    const fallback = `{ secret = "OLD_KEY", until = "${year}-01-01T00:00:00Z" }`;
    return files({ keys: `current = "NEW_KEY"\nfallbacks = [${fallback}]\norigin = "ORIGIN_KEY"` });
  };
  const { edge, origin, page } = await shop(t, until(2999));
  await page(`sessionid=${oldCopy}`);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
  await edge.restart(until(2020)(origin));
  await page(`sessionid=${oldCopy}`);
  assert.equal(sees(origin), null);
});

test("an environment has its own table, and .dev.vars.NAME its own secrets", async (t) => {
  const { origin, page } = await shop(
    t,
    (origin) => ({
      "wrangler.toml": toml(origin, { keys: ring("ORIGIN_KEY") }) + toml(origin, { path: "env.shop.vars" }),
      ".dev.vars": devVars({ NEW_KEY: "another-key-that-is-for-another-environment" }),
      ".dev.vars.shop": devVars(),
    }),
    { env: "shop" },
  );
  await page(`sessionid=${newCopy}`);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
});

test("an environment without a table of its own is told so", async (t) => {
  const { edge, page } = await shop(
    t,
    (origin) => ({ "wrangler.toml": `${toml(origin)}\n[env.shop]\n`, ".dev.vars": devVars() }),
    { env: "shop" },
  );
  assert.equal((await page(`sessionid=${newCopy}`)).status, 503);
  await edge.logs(/COUNTERSIGN: not set as a table; .*\[env\.X\.vars\.COUNTERSIGN\]/);
});

test("everything that is wrong with a configuration is logged at once, with its path", async (t) => {
  const wrong = (origin) => toml(origin).replace("django-session", "djnago-session").replace("max_age ", "maxage ");
  const { edge, page } = await shop(t, (origin) => ({ "wrangler.toml": wrong(origin), ".dev.vars": devVars() }));
  assert.equal((await page()).status, 503);
  await edge.logs(/COUNTERSIGN\.cookies\[0\]\.format: unknown format "djnago-session"; did you mean "django-session"\?/);
  await edge.logs(/COUNTERSIGN\.cookies\[0\]\.maxage: /);
});

test("a rotation: stage, promote and retire a key, each a restart with other files", async (t) => {
  const { edge, origin, page } = await shop(t, files({ keys: ring("ORIGIN_KEY") }));
  const restart = (keys) => edge.restart(files({ keys })(origin));
  origin.handle = () => answer("200 OK");
  const set = async (copy) => (await page(`sessionid=${copy}`)).setCookies;

  assert.deepEqual(await set(originCopy), []);
  await restart(ring("ORIGIN_KEY", "NEW_KEY"));
  assert.deepEqual(await set(originCopy), []);
  await restart(ring("NEW_KEY", "ORIGIN_KEY"));
  const [upgrade] = await set(originCopy);
  assert.equal(upgrade.split(";")[0], `sessionid=${newCopy}`);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
  await restart(ring("NEW_KEY"));
  await set(originCopy);
  assert.equal(sees(origin), null);
  await set(newCopy);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
});

test("a panic answers 500, the log has the line and not the cookie, and the next request works", async (t) => {
  const { edge, origin, page } = await shop(t, files(), { build: "build-fault" });
  const panic = await page(`visitor-8c1f=basket-77; sessionid=${newCopy}; countersign-fault=panic`);
  assert.deepEqual([panic.status, panic.header("cache-control"), panic.setCookies], [500, "no-store", []]);
  await edge.logs(/countersign: a panic at src\/worker\/lib\.rs:\d+/);
  assert.doesNotMatch(edge.logText(), /visitor-8c1f|basket-77|countersign-fault/);
  assert.equal(origin.requests.length, 0);
  assert.equal((await page(`sessionid=${newCopy}`)).status, 200);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
});

test("the wrangler.toml of this project is one that the Worker takes", async (t) => {
  const own = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const [, configuration] = own.split(/^(?=\[vars\.COUNTERSIGN\])/m);
  const secrets = { DJANGO_SECRET_KEY: SECRETS.ORIGIN_KEY, KEY_2026_11: SECRETS.NEW_KEY };
  const { origin, page } = await shop(t, (origin) => ({
    "wrangler.toml": configuration.replace(/^mode .*/m, `$&\norigin_url = "http://127.0.0.1:${origin.port}"`),
    ".dev.vars": devVars(secrets),
  }));
  assert.equal((await page(`sessionid=${originCopy}`)).status, 200);
  assert.equal(sees(origin), `sessionid=${originCopy}`);
});
