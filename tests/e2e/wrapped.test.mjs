// Cookies that the origin does not sign: sealed on the way out, verified and unwrapped on the way in.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import test, { after } from "node:test";
import { ago, answer, edgeAndOrigin, NAVIGATION, parseSetCookie, pinned, SECRETS, send, signer } from "./harness.mjs";

const sign = await signer({ after });
const ATTRIBUTES = "Path=/; HttpOnly; Max-Age=1209600";
const WRAPPED = {
  name: "PHPSESSID",
  format: "django-signed-cookie",
  max_age: 1209600,
  origin: { format: "plain" },
  attributes: ATTRIBUTES,
};
const ID = "n7c2vq81t0s5kd93fj4m6p1x2z";
const keys = { current: "NEW_KEY", fallbacks: ["OLD_KEY"], origin: "ORIGIN_KEY" };
const wrapped = (changes) => pinned({ keys, cookies: [{ ...WRAPPED, ...changes }] });
const ADOPTING = wrapped({ accept: [{ format: "plain", until: "2099-01-01T00:00:00Z" }] });
const sealed = (value, { key = "NEW_KEY", ...options } = {}) =>
  sign.ask("signed_cookie", { key: SECRETS[key], name: "PHPSESSID", value, ...options });
const opened = (value, key = "NEW_KEY") =>
  sign.ask("read_signed_cookie", { key: SECRETS[key], name: "PHPSESSID", value });

async function shown(t, config, cookie, handle) {
  const { edge, origin } = await edgeAndOrigin(t, config, handle);
  const answer = await send(edge.port, { cookie, headers: NAVIGATION });
  const verdicts = (await edge.reports(1)).flatMap((report) => report.verdicts);
  return { cookie: origin.last.cookie, answer, verdicts: verdicts.map(({ verdict }) => verdict) };
}

test("the origin's bare cookie is sealed for the browser and unwrapped for the origin", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, wrapped(), () =>
    answer("200 OK", [`Set-Cookie: PHPSESSID=${ID}; path=/; HttpOnly`]),
  );
  const [setCookie] = (await send(edge.port)).setCookies;
  const { value } = parseSetCookie(setCookie);
  assert.equal(await opened(value), ID);
  assert.equal(setCookie, `PHPSESSID=${value}; path=/; HttpOnly`);
  await send(edge.port, { cookie: `a=1; PHPSESSID=${value}; b=2` });
  assert.equal(origin.last.cookie, `a=1; PHPSESSID=${ID}; b=2`);
});

test("a bare cookie that nobody sealed does not reach the origin", async (t) => {
  assert.deepEqual(await shown(t, wrapped(), `a=1; PHPSESSID=${ID}`).then(({ cookie }) => cookie), "a=1");
});

test("a sealed cookie under another name, key or time does not reach the origin", async (t) => {
  const another = await sign.ask("signed_cookie", { key: SECRETS.NEW_KEY, name: "user_id", value: ID });
  for (const value of [
    another,
    await sealed(ID, { key: "RETIRED_KEY" }),
    await sealed(ID, { at: ago(1209700) }),
    await sealed(ID, { key: "ORIGIN_KEY" }),
  ]) {
    assert.equal((await shown(t, wrapped(), `a=1; PHPSESSID=${value}`)).cookie, "a=1");
  }
});

test("a wrapped cookie is rotated with its time kept", async (t) => {
  const at = ago(1000);
  const { cookie, answer } = await shown(t, wrapped(), `PHPSESSID=${await sealed(ID, { key: "OLD_KEY", at })}`);
  assert.equal(cookie, `PHPSESSID=${ID}`);
  assert.equal(parseSetCookie(answer.setCookies[0]).value, await sealed(ID, { at }));
});

const INJECTIONS = [
  "x; admin=1",
  "x,admin=1",
  'x"; admin="1',
  "x\r\nX-Admin: 1",
  "x y",
  "x\\y",
  "caf\u00e9",
  "a\u007f",
  '"quoted"',
];

test("a payload that would inject a cookie when unwrapped does not reach the origin", async (t) => {
  for (const payload of INJECTIONS) {
    const value = await sealed(payload);
    const { cookie, verdicts } = await shown(t, wrapped(), `a=1; PHPSESSID=${value}`);
    assert.deepEqual([cookie, verdicts], ["a=1", ["malformed"]], JSON.stringify(payload));
  }
});

test("the same payloads pass between signed formats, where they are data", async (t) => {
  const rule = { name: "PHPSESSID", format: "django-signed-cookie", max_age: 1209600, upgrade: "never" };
  for (const payload of INJECTIONS) {
    const at = ago(5);
    const { cookie } = await shown(t, pinned({ cookies: [rule] }), `a=1; PHPSESSID=${await sealed(payload, { at })}`);
    assert.equal(cookie, `a=1; PHPSESSID=${await sealed(payload, { key: "ORIGIN_KEY", at })}`, JSON.stringify(payload));
  }
});

test("a bare cookie from before the first deployment is adopted, and sealed at the next page", async (t) => {
  const { cookie, answer, verdicts } = await shown(t, ADOPTING, `PHPSESSID=${ID}`);
  assert.equal(cookie, `PHPSESSID=${ID}`);
  const upgrade = parseSetCookie(answer.setCookies[0]);
  assert.equal(await opened(upgrade.value), ID);
  assert.ok(upgrade.maxAge <= 1209600 && upgrade.maxAge > 1209590, `Max-Age=${upgrade.maxAge}`);
  assert.deepEqual(verdicts, ["accepted-format", "upgraded"]);
});

test("after the window nothing bare is adopted", async (t) => {
  const config = wrapped({ accept: [{ format: "plain", until: "2024-01-01T00:00:00Z" }] });
  assert.equal((await shown(t, config, `a=1; PHPSESSID=${ID}`)).cookie, "a=1");
});

test("within the window a value with the shape of a signed one is not adopted", async (t) => {
  for (const value of [await sealed(ID, { key: "RETIRED_KEY" }), await sealed(ID, { at: ago(1209700) })]) {
    assert.equal((await shown(t, ADOPTING, `a=1; PHPSESSID=${value}`)).cookie, "a=1");
  }
});

test("within the window a bare cookie beside a sealed one is dropped, in either order", async (t) => {
  const good = `PHPSESSID=${await sealed(ID)}`;
  for (const header of [`PHPSESSID=planted00000000; ${good}`, `${good}; PHPSESSID=planted00000000`]) {
    const { cookie, verdicts } = await shown(t, ADOPTING, header);
    assert.equal(cookie, `PHPSESSID=${ID}`);
    assert.deepEqual(verdicts.sort(), ["current", "duplicate-dropped"]);
  }
});

test("within the window a bare value that no origin could have sent plainly is not adopted", async (t) => {
  for (const value of ['"a b"', "a,b", "caf\xc3\xa9", "a\\b"]) {
    assert.equal((await shown(t, ADOPTING, `a=1; PHPSESSID=${value}`)).cookie, "a=1", value);
  }
});

test("an origin's bare cookie that could not be read back is not sealed", async (t) => {
  const { edge } = await edgeAndOrigin(t, wrapped(), () => answer("200 OK", [`Set-Cookie: PHPSESSID=a b,c; ${ATTRIBUTES}`]));
  const [setCookie] = (await send(edge.port)).setCookies;
  assert.equal(setCookie, `PHPSESSID=a b,c; ${ATTRIBUTES}`);
  assert.deepEqual(
    (await edge.reports(1))[0].verdicts.map(({ verdict }) => verdict),
    ["malformed"],
  );
});

test("a deletion of a wrapped cookie passes", async (t) => {
  const deletion = "PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/";
  const { edge } = await edgeAndOrigin(t, wrapped(), () => answer("200 OK", [`Set-Cookie: ${deletion}`]));
  assert.deepEqual((await send(edge.port)).setCookies, [deletion]);
});

test("format = plain reads what was sealed, seals nothing and upgrades back to plain", async (t) => {
  const leaving = wrapped({ format: "plain", max_age: undefined, accept: [{ format: "django-signed-cookie" }] });
  const handle = ({ path }) => answer("200 OK", path === "/login" ? [`Set-Cookie: PHPSESSID=${ID}; path=/`] : []);
  const { edge, origin } = await edgeAndOrigin(t, leaving, handle);
  const page = await send(edge.port, { cookie: `PHPSESSID=${await sealed(ID)}`, headers: NAVIGATION });
  assert.equal(origin.last.cookie, `PHPSESSID=${ID}`);
  assert.equal(parseSetCookie(page.setCookies[0]).value, ID);
  await send(edge.port, { cookie: `PHPSESSID=${ID}` });
  assert.equal(origin.last.cookie, `PHPSESSID=${ID}`);
  assert.deepEqual((await send(edge.port, { path: "/login" })).setCookies, [`PHPSESSID=${ID}; path=/`]);
});

test("a sealed cookie over 4,096 bytes is still sent, and reported", async (t) => {
  const { edge } = await edgeAndOrigin(t, wrapped(), () =>
    answer("200 OK", [`Set-Cookie: PHPSESSID=${"v".repeat(4080)}; Path=/`]),
  );
  const { value } = parseSetCookie((await send(edge.port)).setCookies[0]);
  assert.equal(await opened(value), "v".repeat(4080));
  await edge.logged(/4,?096|too-long/);
});

// A character is a byte here. U+0085 and U+FEFF are white space to some readers.
const utf8 = (text) => Buffer.from(text).toString("latin1");
const ANY = ['"ada@example.com"', '"a\\054b"', '{"id":7}', "12,15,19", "Ada L", "Ada\tL", "a=b==", '5" nails', "", '""'];
const BEYOND_ASCII = ["Zoë", "日本語 😀", "\u0085x\u00a0", "\ufeffx\u2028"].map(utf8);
const SEALED = { format: "sealed" };

/** What `sealed` makes of a payload, after the contract's own words. */
function sealedBy(payload, time, key = SECRETS.NEW_KEY) {
  const hmac = (key, text) => createHmac("sha256", key).update(text, "latin1").digest();
  const mac = hmac(hmac(key, "countersign sealed v1"), `PHPSESSID\0${time}\0${payload}`);
  return `v1.${Buffer.from(payload, "latin1").toString("base64url")}.${time}.${mac.toString("base64url")}`;
}

test("in `sealed` any value comes back byte for byte, signed for its name and time", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, wrapped(SEALED));
  for (const value of [...ANY, ...BEYOND_ASCII, "x".repeat(2950)]) {
    origin.handle = () => answer("200 OK", [`Set-Cookie: PHPSESSID=${value}; ${ATTRIBUTES}`]);
    const [setCookie] = (await send(edge.port)).setCookies;
    const shown = parseSetCookie(setCookie).value;
    assert.equal(shown, sealedBy(value, shown.split(".")[2]), value);
    assert.equal(setCookie, `PHPSESSID=${shown}; ${ATTRIBUTES}`);
    origin.handle = () => answer("200 OK");
    await send(edge.port, { cookie: `a=1; PHPSESSID=${shown}; b="2"` });
    assert.equal(origin.last.cookie, `a=1; PHPSESSID=${value}; b="2"`);
  }
  const verdicts = (await edge.reports()).flatMap((report) => report.verdicts).map(({ verdict }) => verdict);
  assert.deepEqual(new Set(verdicts), new Set(["sealed", "current"]));
});

test("in `sealed` any value is rotated with its time kept", async (t) => {
  const at = ago(1000);
  const { edge, origin } = await edgeAndOrigin(t, wrapped(SEALED));
  for (const value of [...ANY, ...BEYOND_ASCII]) {
    const cookie = `PHPSESSID=${sealedBy(value, at, SECRETS.OLD_KEY)}`;
    const { setCookies } = await send(edge.port, { cookie, headers: NAVIGATION });
    assert.equal(origin.last.cookie, `PHPSESSID=${value}`);
    assert.equal(parseSetCookie(setCookies[0]).value, sealedBy(value, at));
  }
});

test("in `sealed` any value from before the first deployment is adopted", async (t) => {
  const accept = [{ format: "plain", until: "2099-01-01T00:00:00Z" }];
  const { edge, origin } = await edgeAndOrigin(t, wrapped({ ...SEALED, accept }));
  for (const value of [...ANY, ...BEYOND_ASCII]) {
    const { setCookies } = await send(edge.port, { cookie: `PHPSESSID=${value}`, headers: NAVIGATION });
    assert.equal(origin.last.cookie, `PHPSESSID=${value}`);
    const shown = parseSetCookie(setCookies[0]).value;
    assert.equal(shown, sealedBy(value, shown.split(".")[2]));
  }
});

/** Cookies that somebody else has signed or encrypted: of the vectors, and of makers that no format here opens. */
const OF_OTHERS = {
  hono: firstOf("hono-4.13.19"),
  h3: firstOf("h3-1.15.11"),
  "h3 2": firstOf("h3-2.0.8"),
  "Auth.js": firstOf("authjs-0.41.3"),
  RS256: "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJlIG9mIGEga2V5IHRoYXQgc2lnbnMgZm9yIGFueWJvZHk",
  WordPress: "ada%7C1795262400%7CJq3vKx8ZsT0fYb2d%7C1f0e6c9bb2a74d8e9d0c5b7a3f21e8d44c6b9a0e7f13d5c2b8a6e4f0d9c7b5a3",
  "Spring's remember-me": "YWRhOjE3OTUyNjI0MDAwMDA6U0hBMjU2OjNmYWE5YzE1ZTg3YjJkNDQ",
  "ASP.NET Core": `CfDJ8${"Nk3-x_Zq0aTb".repeat(30)}`,
};

function firstOf(source) {
  const rows = readFileSync(new URL(`../vectors/${source}.jsonl`, import.meta.url), "utf8").trim().split("\n");
  return JSON.parse(rows[0]).value;
}

test("what somebody else has signed is wrapped in `sealed`, and lives through a rotation of its seal", async (t) => {
  const cookies = [{ ...WRAPPED, ...SEALED }];
  const ring = (current, fallbacks) => pinned({ keys: { current, fallbacks, origin: "ORIGIN_KEY" }, cookies });
  for (const [maker, value] of Object.entries(OF_OTHERS)) {
    const first = await edgeAndOrigin(t, ring("OLD_KEY", []), () =>
      answer("200 OK", [`Set-Cookie: PHPSESSID=${value}; ${ATTRIBUTES}`]),
    );
    let shown = parseSetCookie((await send(first.edge.port)).setCookies[0]).value;
    assert.notEqual(shown, value, maker);
    const both = await edgeAndOrigin(t, ring("NEW_KEY", ["OLD_KEY"]));
    const page = await send(both.edge.port, { cookie: `PHPSESSID=${shown}`, headers: NAVIGATION });
    assert.equal(both.origin.last.cookie, `PHPSESSID=${value}`, maker);
    const old = shown;
    shown = parseSetCookie(page.setCookies[0]).value;
    const retired = await edgeAndOrigin(t, ring("NEW_KEY", []));
    await send(retired.edge.port, { cookie: `PHPSESSID=${shown}` });
    assert.equal(retired.origin.last.cookie, `PHPSESSID=${value}`, maker);
    await send(retired.edge.port, { cookie: `a=1; PHPSESSID=${old}` });
    assert.equal(retired.origin.last.cookie, "a=1", maker);
    await send(retired.edge.port, { cookie: `a=1; PHPSESSID=${value}` });
    assert.equal(retired.origin.last.cookie, "a=1", maker);
  }
});

test("bytes that the runtime cannot show are told when they are set, and neither sealed nor adopted", async (t) => {
  const accept = [{ format: "plain", until: "2099-01-01T00:00:00Z" }];
  for (const value of ["Zo\xeb", "\xff", utf8("\ufffd")]) {
    const { edge, origin } = await edgeAndOrigin(t, wrapped({ ...SEALED, accept }), () =>
      answer("200 OK", [`Set-Cookie: PHPSESSID=${value}; ${ATTRIBUTES}`]),
    );
    assert.deepEqual((await send(edge.port)).setCookies, [`PHPSESSID=${value}; ${ATTRIBUTES}`]);
    const verdicts = (await edge.reports(1)).flatMap((report) => report.verdicts).map(({ verdict }) => verdict);
    assert.deepEqual(verdicts, ["malformed"]);
    await send(edge.port, { cookie: `a=1; PHPSESSID=${value}` });
    assert.equal(origin.last.cookie, "a=1");
  }
});

test("in `sealed` an empty value deletes only where Max-Age or Expires do", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, wrapped(SEALED));
  for (const deletion of ["PHPSESSID=; Path=/; Max-Age=0", 'PHPSESSID=""; expires=Thu, 01 Jan 1970 00:00:00 GMT']) {
    origin.handle = () => answer("200 OK", [`Set-Cookie: ${deletion}`]);
    assert.deepEqual((await send(edge.port)).setCookies.slice(0, 1), [deletion]);
  }
});
