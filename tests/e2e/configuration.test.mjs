// Wrong configurations: every request gets 503, the log names path and cure, and only observe lets traffic pass.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { firstDay, pinned, rawOrigin, SECRETS, send, sensitive, SESSION, signer, worker } from "./harness.mjs";

const sign = await signer({ after });
const origin = await rawOrigin({ after });
const rule = (changes) => pinned({ cookies: [{ ...SESSION, ...changes }] });
const keys = (changes) => pinned({ keys: { ...pinned().keys, ...changes } });
const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
const plainUntil = (changes) => ({ format: "plain", until: "2099-01-01T00:00:00Z", ...changes });
const signerRule = (changes) => ({
  name: "basket",
  format: "django-signer",
  salt: "basket",
  attributes: "Path=/",
  ...changes,
});

/** Starts the Worker with a wrong configuration and checks what every wrong configuration gets; gives the log. */
async function refuses(t, config, secrets = SECRETS) {
  const edge = await worker(t, { config, secrets, origin });
  const before = origin.requests.length;
  for (const path of ["/", "/again"]) {
    const answer = await send(edge.port, { path, cookie: "a=1" });
    assert.deepEqual([answer.status, answer.header("cache-control")], [503, "no-store"]);
    assert.match(answer.text, /countersign/i);
    assert.match(answer.text, /configur/i);
    assert.doesNotMatch(answer.text, /COUNTERSIGN|cookies\[|sessionid|_KEY/, "the body is for visitors");
  }
  assert.equal(origin.requests.length, before, "nothing reaches the origin");
  await edge.logged(/^countersign: the configuration is wrong, so every request gets 503$/m);
  return edge.logText();
}

/** name: [configuration, pattern that the log must match] */
const WRONG = {
  "an unknown field at the top": [pinned({ hostz: [] }), /COUNTERSIGN\.hostz: .*hosts/],
  "an unknown field in keys": [keys({ fallback: [] }), /COUNTERSIGN\.keys\.fallback: .*fallbacks/],
  "an unknown field in a rule": [rule({ maxage: 1 }), /COUNTERSIGN\.cookies\[0\]\.maxage: .*max_age/],
  "an unknown field in a key's table": [
    keys({ fallbacks: [{ secret: "OLD_KEY", util: "2099-01-01T00:00:00Z" }] }),
    /keys\.fallbacks\[0\]\.util: .*until/,
  ],
  "an unknown format": [
    rule({ format: "djnago-session" }),
    /COUNTERSIGN\.cookies\[0\]\.format: unknown format "djnago-session"; did you mean "django-session"\?/,
  ],
  "an unknown format in accept": [
    rule({ accept: [{ format: "django-sesion" }] }),
    /cookies\[0\]\.accept\[0\]\.format: .*django-session/,
  ],
  "an unknown format of the origin": [rule({ origin: { format: "plane" } }), /cookies\[0\]\.origin\.format: .*plain/],
  "an unknown digest": [rule({ digest: "sha265" }), /cookies\[0\]\.digest: .*sha256/],
  "an unknown scheme": [rule({ format: "django-signed-cookie", scheme: "v3" }), /cookies\[0\]\.scheme: .*v2/],
  "an unknown layout": [
    rule({ format: "django-messages", layout: "hashed", max_age: undefined }),
    /cookies\[0\]\.layout: .*hash/,
  ],
  "another format's option": [rule({ salt: "x" }), /cookies\[0\]\.salt: /],
  "a separator that its signatures may hold": [rule({ ...signerRule(), sep: "a" }), /cookies\[0\]\.sep: /],
  "a mode that is none": [pinned({ mode: "enforced" }), /COUNTERSIGN\.mode: .*enforce/],
  "a mode of a rule that is none": [rule({ mode: "off" }), /cookies\[0\]\.mode: /],
  "reports that are none": [pinned({ reports: "some" }), /COUNTERSIGN\.reports: /],
  "an upgrade that is none": [rule({ upgrade: "sometimes" }), /cookies\[0\]\.upgrade: .*navigation/],
  "an on_invalid that is none": [rule({ on_invalid: "drop" }), /cookies\[0\]\.on_invalid: .*strip/],
  "look_alikes that are none": [rule({ look_alikes: "keep" }), /cookies\[0\]\.look_alikes: .*drop/],
  "no keys": [without(pinned(), "keys"), /COUNTERSIGN\.keys\.current: missing/],
  "no current key": [pinned({ keys: { origin: "ORIGIN_KEY" } }), /COUNTERSIGN\.keys\.current: /],
  "no origin key": [pinned({ keys: { current: "NEW_KEY" } }), /COUNTERSIGN\.keys\.origin: .*origin = "NEW_KEY"/],
  "no cookies": [without(pinned(), "cookies"), /COUNTERSIGN\.cookies: /],
  "no name": [pinned({ cookies: [without(SESSION, "name")] }), /cookies\[0\]\.name: /],
  "no format": [pinned({ cookies: [without(SESSION, "format")] }), /cookies\[0\]\.format: /],
  "a name that no cookie can have": [rule({ name: "session id" }), /cookies\[0\]\.name: /],
  "an empty name": [rule({ name: "" }), /cookies\[0\]\.name: /],
  "the same name twice": [pinned({ cookies: [SESSION, SESSION] }), /cookies\[1\]\.name: /],
  "fallbacks that are no list": [keys({ fallbacks: "OLD_KEY" }), /COUNTERSIGN\.keys\.fallbacks: .*list/],
  "accept that is no list": [
    rule({ accept: { format: "django-session", digest: "sha1" } }),
    /cookies\[0\]\.accept: .*list/,
  ],
  "cookies that are no list": [pinned({ cookies: SESSION }), /COUNTERSIGN\.cookies: .*list/],
  "hosts that are no list": [pinned({ hosts: "x.workers.dev" }), /COUNTERSIGN\.hosts: .*list/],
  "an origin key's fallbacks that are no list": [
    keys({ origin: { current: "ORIGIN_KEY", fallbacks: "OLD_KEY" } }),
    /keys\.origin\.fallbacks: .*list/,
  ],
  "a number for a text": [rule({ attributes: 5 }), /cookies\[0\]\.attributes: /],
  "a text for a number": [rule({ max_age: "1209600" }), /cookies\[0\]\.max_age: /],
  "a negative max_age": [rule({ max_age: -1 }), /cookies\[0\]\.max_age: /],
  "an until that is no time": [
    keys({ fallbacks: [{ secret: "OLD_KEY", until: "next year" }] }),
    /keys\.fallbacks\[0\]\.until: .*RFC 3339/,
  ],
  "an until without a zone": [
    keys({ fallbacks: [{ secret: "OLD_KEY", until: "2027-02-01 00:00:00" }] }),
    /keys\.fallbacks\[0\]\.until: /,
  ],
  "an until on the current key": [
    keys({ current: { secret: "NEW_KEY", until: "2099-01-01T00:00:00Z" } }),
    /keys\.current\.until: /,
  ],
  "max_age where nothing tells the time": [
    rule({ ...signerRule({ timestamp: false }), max_age: 60 }),
    /cookies\[0\]\..*carries no time.*max_age/,
  ],
  "no attributes though upgrades are sent": [
    pinned({ cookies: [without(SESSION, "attributes")] }),
    /cookies\[0\]\.attributes: .*never/,
  ],
  "attributes of an upgrade without a Path": [rule({ attributes: "HttpOnly; Secure" }), /\]\.attributes: .*Path=\//],
  "attributes of an upgrade with a fixed date": [
    rule({ attributes: "Path=/; Expires=Fri, 31 Dec 2099 23:59:59 GMT" }),
    /cookies\[0\]\.attributes: .*Max-Age=1209600/,
  ],
  "leeway where nothing expires": [rule({ leeway: 15 }), /cookies\[0\]\.leeway: .*expiry/],
  "attributes that would start another header": [rule({ attributes: "Path=/\r\nX: 1" }), /cookies\[0\]\.attributes: /],
  "plain accepted without an until": [
    rule({ format: "django-signed-cookie", origin: { format: "plain" }, accept: [{ format: "plain" }] }),
    /cookies\[0\]\.accept\[0\].*until/,
  ],
  "plain accepted without a max_age": [
    rule({ format: "django-signed-cookie", origin: { format: "plain" }, max_age: undefined, accept: [plainUntil()] }),
    /cookies\[0\].*max_age/,
  ],
  "plain accepted beside a format without time": [
    rule({ ...signerRule({ timestamp: false }), max_age: undefined, accept: [plainUntil()] }),
    /cookies\[0\]\.accept.*carries a time/,
  ],
  "an origin_url that is none": [pinned({ origin_url: "app.example" }), /COUNTERSIGN\.origin_url: /],
  "an origin_url of another scheme": [pinned({ origin_url: "ftp://app.example" }), /COUNTERSIGN\.origin_url: .*http/],
  "an origin_header without its secret": [
    pinned({ origin_header: { name: "X-Edge" } }),
    /COUNTERSIGN\.origin_header\.secret: /,
  ],
  "an origin_header that is no header": [
    pinned({ origin_header: { name: "X Edge", secret: "NEW_KEY" } }),
    /COUNTERSIGN\.origin_header\.name: /,
  ],
  "an encoding that is none": [
    keys({ current: { secret: "NEW_KEY", encoding: "base46" } }),
    /keys\.current\.encoding: .*base64/,
  ],
  "a secret that is not in its encoding": [
    keys({ current: { secret: "NEW_KEY", encoding: "hex" } }),
    /keys\.current: .*NEW_KEY.*encoding/,
  ],
  "a current key that is missing": [keys({ current: "LOST_KEY" }), /keys\.current: .*LOST_KEY/],
  "a fallback that is missing": [keys({ fallbacks: ["OLD_KEY", "LOST_KEY"] }), /keys\.fallbacks\[1\]: .*LOST_KEY/],
  "an origin key that is missing": [keys({ origin: "LOST_KEY" }), /keys\.origin: .*LOST_KEY/],
  "a secret of origin_header that is missing": [
    pinned({ origin_header: { name: "X-Edge", secret: "LOST_TOKEN" } }),
    /origin_header\.secret: .*LOST_TOKEN/,
  ],
  "nothing but an empty table": [{}, /COUNTERSIGN\.cookies: /],
};

for (const [name, [config, pattern]] of Object.entries(WRONG)) {
  test(`refused: ${name}`, async (t) => assert.match(await refuses(t, config), pattern));
}

test("refused: no COUNTERSIGN at all", async (t) => {
  assert.match(await refuses(t, undefined), /COUNTERSIGN: /);
});

test("refused: COUNTERSIGN as text that is no JSON", async (t) => {
  const edge = await worker(t, { secrets: SECRETS, bindings: { COUNTERSIGN: "mode = enforce" }, origin });
  assert.equal((await send(edge.port)).status, 503);
  await edge.logged(/COUNTERSIGN: /);
});

test("refused: an empty secret", async (t) => {
  assert.match(await refuses(t, pinned(), { ...SECRETS, OLD_KEY: "" }), /keys\.fallbacks\[0\]: .*OLD_KEY/);
});

test("a text that is no key id is never echoed, since it may be a key", async (t) => {
  const pasted = "pasted-by-mistake-7c1b22d9e0";
  sensitive(pasted);
  assert.match(await refuses(t, keys({ current: pasted })), /keys\.current: /);
  assert.match(await refuses(t, keys({ fallbacks: [{ secret: pasted }] })), /keys\.fallbacks\[0\]/);
  assert.match(await refuses(t, pinned({ [pasted]: 1 })), /COUNTERSIGN/);
});

test("every problem is named at once, each on its line", async (t) => {
  const config = pinned({
    mode: "on",
    cookies: [
      { ...SESSION, format: "djnago-session" },
      { ...SESSION, name: "two", max_age: "x" },
    ],
    keys: { current: "LOST_KEY", origin: "ORIGIN_KEY" },
  });
  const lines = (await refuses(t, config)).split("\n").filter((line) => /^ {2}COUNTERSIGN/.test(line));
  const paths = lines.map((line) => line.trim().split(":")[0]);
  for (const path of [
    "COUNTERSIGN.mode",
    "COUNTERSIGN.cookies[0].format",
    "COUNTERSIGN.cookies[1].max_age",
    "COUNTERSIGN.keys.current",
  ]) {
    assert.ok(paths.includes(path), `${path} is not among ${paths}`);
  }
});

test("refused, though the mode reads observe: a ring that has moved", async (t) => {
  const moved = pinned({ mode: "observe" });
  assert.match(await refuses(t, moved), /cookies\[0\]\.mode: .*origin/);
  const twice = { ...moved, cookies: [{ ...SESSION, format: "djnago-session" }] };
  assert.match(await refuses(t, twice), /cookies\[0\]\.mode: .*origin/);
});

test("where the mode reads observe a wrong configuration lets traffic pass untouched, with the same report", async (t) => {
  const wrong = { ...firstDay({ mode: "observe" }), cookies: [{ ...SESSION, format: "djnago-session" }] };
  const edge = await worker(t, { config: wrong, secrets: SECRETS, origin });
  const cookie = `sessionid=${await sign.session("RETIRED_KEY")}; SessionID=1`;
  const answer = await send(edge.port, { cookie });
  assert.deepEqual([answer.status, origin.last.cookie], [200, cookie]);
  await edge.logged(/^countersign: the configuration is wrong, so traffic passes unchecked \(observe\)$/m);
  assert.match(edge.logText(), /cookies\[0\]\.format: unknown format "djnago-session"/);
});

test("where a rule says enforce a wrong configuration stops traffic though the mode reads observe", async (t) => {
  const wrong = firstDay({
    mode: "observe",
    cookies: [
      { ...SESSION, mode: "enforce" },
      { ...SESSION, name: "b", digest: "x" },
    ],
  });
  await refuses(t, wrong);
});

test("a missing secret stops traffic in enforce and not in observe", async (t) => {
  const config = firstDay({ keys: { current: "LOST_KEY", origin: "LOST_KEY" } });
  await refuses(t, config);
  const edge = await worker(t, { config: { ...config, mode: "observe" }, secrets: SECRETS, origin });
  assert.equal((await send(edge.port, { cookie: "sessionid=x" })).status, 200);
  assert.equal(origin.last.cookie, "sessionid=x");
});
