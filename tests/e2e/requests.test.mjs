// What becomes of the cookies of a request (rules R1 to R6), byte for byte at the origin.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ago, answer, edgeAndOrigin, NAVIGATION, parseSetCookie, pinned, send, SESSION, signer } from "./harness.mjs";

const sign = await signer({ after });
const good = await sign.session("NEW_KEY");
const atOrigin = await sign.session("ORIGIN_KEY", { at: (await sign.readSession("NEW_KEY", good)).at });
const forged = await sign.session("RETIRED_KEY");
const withRule = (changes) => pinned({ cookies: [{ ...SESSION, ...changes }] });

/** Sends a Cookie header and tells what reached the origin: `{answer, cookie, verdicts}`; `cookie` is null for none. */
async function gate(t, cookie, { config = pinned(), reports = 1, ...request } = {}) {
  const { edge, origin } = await edgeAndOrigin(t, config);
  const answer = await send(edge.port, { cookie, ...request });
  const verdicts = (await edge.reports(reports)).flatMap((report) => report.verdicts.map(({ verdict }) => verdict));
  return { answer, reached: origin.requests.length, cookie: origin.last?.cookie, verdicts };
}

test("a planted duplicate cannot mask a good cookie, in either order", async (t) => {
  for (const header of [`sessionid=${forged}; sessionid=${good}`, `sessionid=${good}; sessionid=${forged}`]) {
    const { cookie, verdicts } = await gate(t, header);
    assert.equal(cookie, `sessionid=${atOrigin}`);
    assert.deepEqual(verdicts.sort(), ["current", "duplicate-dropped"]);
  }
});

test("a planted duplicate between other cookies goes without a trace", async (t) => {
  const { cookie } = await gate(t, `a=1; sessionid=x; b=2; sessionid=${good}; sessionid=${forged}; c=3`);
  assert.equal(cookie, `a=1; b=2; sessionid=${atOrigin}; c=3`);
});

test("two cookies that both verify both reach the origin", async (t) => {
  const eve = { data: { user: "eve" }, at: ago(50) };
  const { cookie } = await gate(t, `sessionid=${good}; sessionid=${await sign.session("NEW_KEY", eve)}`);
  assert.equal(cookie, `sessionid=${atOrigin}; sessionid=${await sign.session("ORIGIN_KEY", eve)}`);
});

test("what does not verify is stripped and the rest stays as it came", async (t) => {
  const { cookie, verdicts, answer } = await gate(t, `a=1;b=2;  c=3; sessionid=${forged}; d=4`);
  assert.equal(cookie, "a=1;b=2;  c=3; d=4");
  assert.deepEqual([verdicts, answer.status], [["bad-signature"], 200]);
});

test("a request whose only cookie was refused has no Cookie header", async (t) => {
  assert.equal((await gate(t, `sessionid=${forged}`)).cookie, null);
});

test("a changed payload, time or signature is refused", async (t) => {
  const [payload, time, signature] = good.split(":");
  const flipped = (text) => text.slice(0, -2) + (text.at(-2) === "A" ? "B" : "A") + text.at(-1);
  for (const parts of [
    [flipped(payload), time, signature],
    [payload, flipped(time), signature],
    [payload, time, flipped(signature)],
  ]) {
    assert.equal((await gate(t, `sessionid=${parts.join(":")}`)).cookie, null);
  }
});

test("malformed, future and overlong values are told apart, and stripped", async (t) => {
  const cases = [
    ["no-separators-here", "malformed"],
    [await sign.session("NEW_KEY", { at: ago(-3600) }), "not-yet-valid"],
    ["x".repeat(17 * 1024), "too-long"],
  ];
  for (const [value, verdict] of cases) {
    const { cookie, verdicts } = await gate(t, `a=1; sessionid=${value}; b=2`);
    assert.deepEqual([cookie, verdicts], ["a=1; b=2", [verdict]]);
  }
});

test("more cookies than a request may cost are refused and the request goes on", async (t) => {
  const { cookie, verdicts, answer } = await gate(t, `a=1; ${`sessionid=${forged}; `.repeat(150)}b=2`);
  assert.deepEqual([cookie, answer.status], ["a=1; b=2", 200]);
  assert.ok(verdicts.includes("bad-signature") && verdicts.includes("too-long"), `verdicts were ${verdicts}`);
});

test("a hundred forged cookies do not keep a good one in front of them from the origin", async (t) => {
  const { cookie } = await gate(t, `sessionid=${good}; ${"sessionid=x; ".repeat(100)}b=2`);
  assert.equal(cookie, `sessionid=${atOrigin}; b=2`);
});

test("on_invalid = reject answers 403, deletes the cookie and spares the origin", async (t) => {
  const { answer, reached } = await gate(t, `sessionid=${forged}`, {
    config: withRule({ on_invalid: "reject", attributes: "Path=/app; Domain=shop.example; Secure; Max-Age=60" }),
  });
  assert.deepEqual([answer.status, answer.header("cache-control"), reached], [403, "no-store", 0]);
  const deletion = parseSetCookie(answer.setCookies[0]);
  assert.deepEqual([deletion.name, deletion.path, deletion.domain], ["sessionid", "/app", "shop.example"]);
  assert.ok(deletion.maxAge <= 0 || deletion.expires <= Date.now(), answer.setCookies[0]);
});

test("on_invalid = reject strips it where a page is opened, so that a planted cookie locks nobody out", async (t) => {
  const config = withRule({ on_invalid: "reject" });
  for (const more of [{ headers: NAVIGATION }, { headers: NAVIGATION, method: "POST", body: "user=ada" }]) {
    const { answer, cookie, verdicts } = await gate(t, `a=1; sessionid=${forged}`, { config, ...more });
    assert.deepEqual([answer.status, cookie, verdicts], [200, "a=1", ["bad-signature"]]);
  }
  const headers = { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" };
  const { answer, reached } = await gate(t, `a=1; sessionid=${forged}`, { config, headers });
  assert.deepEqual([answer.status, reached], [403, 0]);
});

test("on_invalid = reject strips what has merely expired", async (t) => {
  const expired = await sign.session("NEW_KEY", { at: ago(1209700) });
  const { answer, cookie, verdicts } = await gate(t, `a=1; sessionid=${expired}`, {
    config: withRule({ on_invalid: "reject" }),
  });
  assert.deepEqual([answer.status, cookie, verdicts], [200, "a=1", ["expired"]]);
});

test("on_invalid = forward passes what it refuses and still re-signs what is good", async (t) => {
  const keys = { current: "NEW_KEY", fallbacks: ["ORIGIN_KEY"], origin: "ORIGIN_KEY" };
  const config = { ...withRule({ on_invalid: "forward" }), keys };
  assert.equal((await gate(t, `a=1; sessionid=${forged}`, { config })).cookie, `a=1; sessionid=${forged}`);
  assert.equal((await gate(t, `a=1; sessionid=${good}`, { config })).cookie, `a=1; sessionid=${atOrigin}`);
});

test("a fallback whose until has passed is not tried, one whose until is to come is", async (t) => {
  const old = await sign.session("OLD_KEY");
  const until = (date) =>
    pinned({ keys: { current: "NEW_KEY", fallbacks: [{ secret: "OLD_KEY", until: date }], origin: "ORIGIN_KEY" } });
  assert.equal((await gate(t, `sessionid=${old}`, { config: until("2024-01-01T00:00:00Z") })).cookie, null);
  assert.notEqual((await gate(t, `sessionid=${old}`, { config: until("2099-01-01T00:00:00Z") })).cookie, null);
});

test("a fallback whose until comes while the Worker runs is dropped then", async (t) => {
  const old = await sign.session("OLD_KEY");
  const until = new Date(Date.now() + 2000).toISOString();
  const config = pinned({
    keys: { current: "NEW_KEY", fallbacks: [{ secret: "OLD_KEY", until }], origin: "ORIGIN_KEY" },
  });
  const { edge, origin } = await edgeAndOrigin(t, config);
  await send(edge.port, { cookie: `sessionid=${old}` });
  assert.notEqual(origin.last.cookie, null);
  await setTimeout(2100);
  await send(edge.port, { cookie: `sessionid=${old}` });
  assert.equal(origin.last.cookie, null);
});

test("a format in accept ends at its own until", async (t) => {
  const sha1 = await sign.session("NEW_KEY", { digest: "sha1" });
  const accept = (until) => withRule({ accept: [{ format: "django-session", digest: "sha1", until }] });
  assert.equal((await gate(t, `sessionid=${sha1}`, { config: accept("2024-01-01T00:00:00Z") })).cookie, null);
  assert.notEqual((await gate(t, `sessionid=${sha1}`, { config: accept("2099-01-01T00:00:00Z") })).cookie, null);
});

test("a rule may have keys and a mode of its own", async (t) => {
  const config = pinned({
    cookies: [
      SESSION,
      { ...SESSION, name: "staffid", keys: { current: "OLD_KEY", fallbacks: [] } },
      { ...SESSION, name: "guestid", mode: "observe", keys: { current: "ORIGIN_KEY", fallbacks: [] } },
    ],
  });
  const at = ago(60);
  const [staff, staffAtOrigin, wrongStaff] = await Promise.all(
    ["OLD_KEY", "ORIGIN_KEY", "NEW_KEY"].map((key) => sign.session(key, { at })),
  );
  const { cookie } = await gate(t, `sessionid=${good}; staffid=${staff}; guestid=${forged}; a=1`, { config });
  assert.equal(cookie, `sessionid=${atOrigin}; staffid=${staffAtOrigin}; guestid=${forged}; a=1`);
  assert.equal((await gate(t, `staffid=${wrongStaff}; a=1`, { config })).cookie, "a=1");
});

test("a request without a managed cookie is no work and no report", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, pinned());
  await send(edge.port, { cookie: 'a=1;  b = 2;c; =3; d="4"; csrftoken=abc' });
  assert.equal(origin.last.cookie, 'a=1;  b = 2;c; =3; d="4"; csrftoken=abc');
  await send(edge.port, { cookie: `sessionid=${forged}` });
  assert.equal((await edge.reports(1)).length, 1);
});

// odd, but no browser's or sibling application's business is spoiled by it
const ODD_ASCII = "a=b=c; empty=; x={\"k\":[1,2]}; p=%41%zz; q='1'; r=1\\2; s=<>()@/?`~|; =t;u;;v=1; w=a\tb";
const UTF8 = Buffer.from("name=Zoë; grüße=1; e=🍪", "utf8").toString("latin1");

for (const [kind, odd] of Object.entries({ ODD_ASCII, UTF8 })) {
  test(`unmanaged cookies with odd bytes (${kind}) stay to the byte beside a re-signed one`, async (t) => {
    assert.equal((await gate(t, `${odd}; sessionid=${good}`)).cookie, `${odd}; sessionid=${atOrigin}`);
    assert.equal((await gate(t, `sessionid=${good}; ${odd}`)).cookie, `sessionid=${atOrigin}; ${odd}`);
  });

  test(`unmanaged cookies with odd bytes (${kind}) stay to the byte alone`, async (t) => {
    assert.equal((await gate(t, odd, { reports: 0 })).cookie, odd);
  });
}

test("letters beyond ASCII arrive wherever they stand in a header that is written anew", async (t) => {
  for (const letters of ["\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8d\xaa", "\xc3\xa9".repeat(200)]) {
    const around = (value) => [
      `n=${letters}; sessionid=${value}`,
      `sessionid=${value}; n=${letters}`,
      `a=${letters}; sessionid=${value}; b=${letters}`,
    ];
    for (const [at, header] of around(good).entries()) {
      assert.equal((await gate(t, header)).cookie, around(atOrigin)[at]);
    }
  }
});

test("bytes that are not UTF-8 reach the origin as the runtime's replacement, never raw", async (t) => {
  const replaced = Buffer.from("\ufffd", "utf8").toString("latin1");
  assert.equal(
    (await gate(t, `x=\xff\xe9; sessionid=${good}`)).cookie,
    `x=${replaced}${replaced}; sessionid=${atOrigin}`,
  );
  assert.equal((await gate(t, "x=\xff\xe9", { reports: 0 })).cookie, `x=${replaced}${replaced}`);
});

test("several Cookie headers reach the gate as one", async (t) => {
  const { cookie } = await gate(t, undefined, {
    headers: [
      ["Cookie", `sessionid=${forged}`],
      ["Cookie", `a=1; sessionid=${good}`],
    ],
  });
  assert.equal(cookie, `sessionid=${atOrigin}`);
});

test("visitors who come at once each get their own cookie, towards the origin and back", async (t) => {
  const at = ago(100);
  const { edge } = await edgeAndOrigin(t, pinned(), async ({ cookie }) => {
    await setTimeout(Math.random() * 50);
    return answer("200 OK", [], cookie);
  });
  const visit = async (user) => {
    const copy = (key) => sign.session(key, { data: { user }, at });
    const [old, upgraded, atOrigin] = [await copy("OLD_KEY"), await copy("NEW_KEY"), await copy("ORIGIN_KEY")];
    const page = await send(edge.port, { cookie: `sessionid=${old}`, headers: NAVIGATION });
    assert.equal(page.text, `sessionid=${atOrigin}`);
    assert.equal(parseSetCookie(page.setCookies[0]).value, upgraded);
  };
  await Promise.all(Array.from({ length: 100 }, (_, i) => visit(`visitor ${i}`)));
});
