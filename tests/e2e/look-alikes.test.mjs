// Rule R7 against real parsers: whatever spelling stands in a Cookie header, no parser behind the gate reads a managed
// name with a value that was not verified, and every parser still reads the good cookie beside it.
//
// COUNTERSIGN_LOOK_ALIKES=SEED,COUNT makes COUNT random headers of each kind and name from SEED.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test, { after, before, describe } from "node:test";
import { ago, SECRETS, signer, worker } from "./harness.mjs";
import { carrying, CLEAN, corpus, INNOCENT, JOINED, NAMES, OPEN_QUOTE, VERIFIED } from "./look-alikes/corpus.mjs";
import { programs } from "./look-alikes/programs.mjs";
import { innocentlyLost, readAll, valuesOf } from "./look-alikes/readings.mjs";
import { recordingOrigin, sendAll } from "./look-alikes/traffic.mjs";
import { list } from "./look-alikes/show.mjs";

const signed = { max_age: 1209600, attributes: "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600" };
const CONFIG = {
  mode: "enforce",
  reports: "none",
  keys: { current: "NEW_KEY", fallbacks: ["OLD_KEY"], origin: "ORIGIN_KEY" },
  cookies: [
    { name: "sessionid", format: "django-session", ...signed },
    { name: "user_id", format: "django-signed-cookie", salt: "wrap", origin: { format: "plain" }, ...signed },
    { name: "_app_session", format: "django-session", ...signed },
    { name: "__Host-sid", format: "django-session", ...signed },
    // what these sign is written by visitors: one quotes it for the header, the other does not
    { name: "remark", format: "django-signed-cookie", salt: "remark", ...signed },
    { name: "theme", format: "keygrip", keys: { current: "THEME_KEY", fallbacks: [] }, upgrade: "never" },
  ],
};

const STRICT = { ...CONFIG, cookies: CONFIG.cookies.map((rule) => ({ ...rule, look_alikes: "strict" })) };

const THEME_KEY = "theme-0123456789-0123456789-0123456789";

const [seed = 1, count = 250] = (process.env.COUNTERSIGN_LOOK_ALIKES ?? "").split(",").filter(Boolean).map(Number);
const candidates = programs(NAMES);
let requests;
let readings;

before(async () => {
  const origin = await recordingOrigin({ after });
  const edge = await worker({ after }, { config: CONFIG, secrets: { ...SECRETS, THEME_KEY }, origin });
  requests = corpus(await goodAndEvil(), { seed, count });
  const statuses = await sendAll(edge.port, requests.map(({ headers }) => headers));
  requests.forEach((request, n) => Object.assign(request, { status: statuses[n], arrived: origin.arrived[n] }));
  readings = await readAll(candidates, requests.filter(({ arrived }) => arrived));
});

test("the runtime refuses some headers itself, and every other one gets past the gate to the origin", (t) => {
  const refused = requests.filter(({ status, arrived }) => REFUSALS.includes(status) && !arrived);
  const passed = requests.filter(({ status, arrived }) => status === 200 && arrived);
  NAMES.forEach(cleanRequest);
  const accounted = new Set([...refused, ...passed]);
  const rest = requests.filter((request) => !accounted.has(request));
  assert.ok(rest.length === 0, list(rest));
  t.diagnostic(`${requests.length} headers from seed ${seed}, of which the runtime refused ${refused.length}`);
  assert.ok(refused.length < requests.length / 20);
});

test("several Cookie headers are judged as the one that the runtime makes of them", () => {
  const joined = requests.filter(({ trick }) => trick === JOINED);
  const wrong = joined.filter(({ arrived }) => arrived?.length !== 0);
  assert.ok(joined.length > 0);
  assert.ok(wrong.length === 0, list(wrong));
  const apart = requests.filter(({ arrived }) => arrived?.length > 1);
  assert.ok(apart.length === 0, list(apart));
});

test("a word in the value of another cookie is left alone, and so is that cookie", () => {
  const innocent = requests.filter(({ trick }) => trick === INNOCENT);
  const isWhole = ({ name, text, forOrigin, arrived }) =>
    [`${text}; ${name}=${forOrigin}`, `${name}=${forOrigin}; ${text}`].includes(arrived?.[0]);
  const wrong = innocent.filter((request) => !isWhole(request));
  assert.ok(innocent.length > 0);
  assert.ok(wrong.length === 0, list(wrong));
});

test("a verified value arrives where it is quoted, and does not where a parser would read another cookie in it", () => {
  const verified = requests.filter(({ trick }) => trick === VERIFIED);
  const of = (name) => verified.filter(({ headers }) => headers[0].includes(`${name}=`));
  const arrived = (name) => of(name).filter((request) => request.arrived?.[0].includes(`${name}=`));
  assert.ok(arrived("remark").length > of("remark").length / 2);
  assert.ok(of("theme").length > 0 && arrived("theme").length < of("theme").length / 2);
});

test("what some parser takes for an empty cookie is dropped by a strict rule", async (t) => {
  const isEmpty = ([name, value]) => NAMES.includes(name) && value === "";
  const empty = requests.filter((request) => [...readings.values()].some(({ arrived }) => arrived.get(request)?.some(isEmpty)));
  const origin = await recordingOrigin(t);
  const edge = await worker(t, { config: STRICT, secrets: { ...SECRETS, THEME_KEY }, origin });
  const again = empty.map((request) => ({ ...request }));
  const statuses = await sendAll(edge.port, again.map(({ headers }) => headers));
  again.forEach((request, n) => Object.assign(request, { status: statuses[n], arrived: origin.arrived[n] }));
  const refused = again.filter(({ arrived }) => !arrived);
  assert.ok(refused.length === 0, list(refused));
  const strictly = await readAll(candidates, again);
  const wrong = again.filter((request) => [...strictly.values()].some(({ arrived }) => arrived.get(request).some(isEmpty)));
  assert.ok(wrong.length === 0, list(wrong));
  t.diagnostic(`${empty.length} headers`);
});

for (const { parsers, needs, isHere } of candidates) {
  for (const parser of parsers) {
    const skip = isHere ? false : `${parser} is not installed (Debian: ${needs})`;
    describe(parser, { skip }, () => testsOf(parser));
  }
}

function testsOf(parser) {
  const clean = new Map();
  // What a parser makes of the value is its own affair: Tomcat's old one ends it at a colon.
  const goodFor = (name) => clean.get(name) ?? assert.fail("it reads no clean header");

  test("reads the good cookie of a clean header", () => {
    for (const name of NAMES) {
      const values = valuesOf(readings.get(parser).arrived.get(cleanRequest(name)), name);
      assert.equal(values.length, 1, name);
      clean.set(name, values[0]);
    }
    assert.equal(goodFor("user_id"), "ada");
  });

  test("reads no managed name whose value was not verified", () => {
    const { arrived } = readings.get(parser);
    const isGood = (request, name, value) => request.good && name === request.name && value === goodFor(name);
    // A bare word can carry no value.
    const isWrong = (request) => ([name, value]) => NAMES.includes(name) && value !== "" && !isGood(request, name, value);
    const wrong = requests.filter((request) => arrived.get(request)?.some(isWrong(request)));
    assert.ok(wrong.length === 0, list(wrong, (request) => arrived.get(request)));
  });

  test("still reads the good cookie of every header in which it would read that name without the gate", async (t) => {
    const { arrived, sent } = readings.get(parser);
    const lost = requests.filter(
      (request) => valuesOf(sent.get(request), request.name).length && !valuesOf(arrived.get(request), request.name).includes(goodFor(request.name)),
    );
    const innocent = await innocentlyLost(candidates, parser, lost);
    const guilty = lost.filter((request) => !innocent.has(request));
    assert.ok(guilty.length === 0, list(guilty, (request) => arrived.get(request)));
    if (innocent.size) t.diagnostic(`${innocent.size} headers lose it to a cookie that is no look-alike, with or without the gate`);
  });

  test("reads the good cookie behind one that opens a quote", () => {
    const { arrived } = readings.get(parser);
    const opened = requests.filter(({ trick }) => trick === OPEN_QUOTE);
    const lost = opened.filter((request) => valuesOf(arrived.get(request), request.name)[0] !== goodFor(request.name));
    assert.ok(opened.length > 0);
    assert.ok(lost.length === 0, list(lost, (request) => arrived.get(request)));
  });
}

/** The request with the good cookie alone, which has to arrive as the origin signs it. */
function cleanRequest(name) {
  const clean = requests.find((request) => request.trick === CLEAN && request.name === name);
  assert.deepEqual(clean.arrived, [`${name}=${clean.forOrigin}`]);
  return clean;
}

/** For each name: `good` and `evil` as a browser shows them, and `forOrigin`, what the origin gets for the good one. */
async function goodAndEvil() {
  const sign = await signer({ after });
  const at = ago(60);
  const session = { data: { user: "ada" }, at };
  const sessions = {
    good: await sign.session("NEW_KEY", session),
    forOrigin: await sign.session("ORIGIN_KEY", session),
    // made by someone who has the origin's key, which the ring does not hold
    evil: await sign.session("ORIGIN_KEY", { data: { user: "eve" }, at }),
  };
  const wrapped = {
    good: await sign.ask("signed_cookie", { key: SECRETS.NEW_KEY, name: "user_id", value: "ada", salt: "wrap", at }),
    forOrigin: "ada",
    evil: "eve",
  };
  const of = (name) => (name === "user_id" ? wrapped : sessions);
  const cookies = NAMES.map(async (name) => [name, { ...of(name), verified: await verified(sign, name, of(name).evil, at) }]);
  return Object.fromEntries(await Promise.all(cookies));
}

/** Values that hold the name and are rightly signed, as a browser shows them. */
async function verified(sign, name, evil, at) {
  const values = carrying(name, evil);
  const note = (value) => sign.ask("signed_cookie", { key: SECRETS.NEW_KEY, name: "remark", value, salt: "remark", at });
  const notes = await Promise.all(values.map(note));
  const raw = values.filter((value) => /^[!-~]+([ -~]*[!-~])?$/.test(value) && !/^"|;/.test(value));
  const theme = (value) => createHmac("sha1", THEME_KEY).update(`theme=${value}`).digest("base64url");
  return [...notes.map((value) => `remark=${value}`), ...raw.map((value) => `theme=${value}; theme.sig=${theme(value)}`)];
}

// a byte that no header may hold, and a header that is too long
const REFUSALS = [400, 431];
