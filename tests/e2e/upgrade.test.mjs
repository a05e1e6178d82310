// When the browser is sent its cookie under the current key, and each reason not to (rule S5).
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ago, answer, edgeAndOrigin, NAVIGATION, parseSetCookie, pinned, send, SESSION, signer } from "./harness.mjs";

const sign = await signer({ after });
const old = await sign.session("OLD_KEY");
const page =
  (headers = [], status = "200 OK") =>
  () =>
    answer(status, ["Content-Type: text/html", ...headers]);
const withRule = (changes) => pinned({ cookies: [{ ...SESSION, ...changes }] });
const verdictsOf = (report) =>
  report.verdicts.map(({ verdict, reason }) => (reason ? `${verdict}: ${reason}` : verdict));

/** Shows a cookie of the old key and tells what came of it: `{answer, verdicts}`. */
async function visit(t, { config = pinned(), handle = page(), request = {} } = {}) {
  const { edge } = await edgeAndOrigin(t, config, handle);
  const reply = await send(edge.port, { headers: NAVIGATION, cookie: `sessionid=${old}`, ...request });
  return { answer: reply, verdicts: verdictsOf((await edge.reports(1))[0]) };
}

function upgraded(name, options) {
  test(`sent: ${name}`, async (t) => {
    const { answer, verdicts } = await visit(t, options);
    assert.deepEqual(verdicts, ["fallback", "upgraded"]);
    assert.equal(answer.setCookies.length, 1);
    const { data } = await sign.readSession("NEW_KEY", parseSetCookie(answer.setCookies[0]).value);
    assert.deepEqual(data, { user: "ada" });
    assert.match(answer.header("cache-control"), /private|no-store/i);
  });
}

function withheld(reason, name, options, setCookies = []) {
  test(`withheld (${reason}): ${name}`, async (t) => {
    const { answer, verdicts } = await visit(t, options);
    assert.ok(verdicts.includes(`upgrade-withheld: ${reason}`), `verdicts were ${verdicts}`);
    assert.ok(!verdicts.includes("upgraded"));
    assert.deepEqual(
      answer.setCookies.map((c) => parseSetCookie(c).name),
      setCookies,
    );
  });
}

const request = (changes) => ({ request: changes });
const headers = (changes) => request({ headers: { ...NAVIGATION, ...changes } });

upgraded("a visitor opens a page");
upgraded("a browser without Sec-Fetch headers that asks for HTML", request({ headers: { Accept: "text/html,*/*" } }));
upgraded("Sec-Fetch-Dest is absent", request({ headers: { "Sec-Fetch-Mode": "navigate" } }));
upgraded("a service worker fetches the page", headers({ "Sec-Fetch-Dest": "empty" }));
upgraded("a frame of the site's own page", headers({ "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin" }));
upgraded("HEAD", request({ method: "HEAD", headers: NAVIGATION }));
upgraded("a redirect", { handle: page(["Location: /next"], "302 Found") });
upgraded("an error page", { handle: page([], "404 Not Found") });
upgraded("upgrade = always, to a script's POST", {
  config: withRule({ upgrade: "always" }),
  request: { method: "POST", headers: { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" }, body: "x" },
});
for (const header of [
  "Cache-Control: private",
  "Cache-Control: no-store",
  "Cache-Control: max-age=60, Private",
  "CF-Cache-Status: DYNAMIC",
  "CF-Cache-Status: BYPASS",
]) {
  upgraded(`no shared cache may store it: ${header}`, { handle: page([header]) });
}

withheld("never", "the rule says so", { config: withRule({ upgrade: "never", attributes: undefined }) });
withheld("never", "the key says so", {
  config: pinned({
    keys: { current: "NEW_KEY", fallbacks: [{ secret: "OLD_KEY", upgrade: false }], origin: "ORIGIN_KEY" },
  }),
});
withheld("not-navigation", "a script's request", headers({ "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" }));
withheld("not-navigation", "a frame", headers({ "Sec-Fetch-Dest": "iframe" }));
withheld(
  "not-navigation",
  "a frame of another site's page",
  headers({ "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site" }),
);
withheld("not-navigation", "a prefetch of older Chromium", headers({ Purpose: "prefetch" }));
withheld("not-navigation", "a prefetch of older Firefox", headers({ "X-Moz": "prefetch" }));
withheld("not-navigation", "a prefetch", headers({ "Sec-Purpose": "prefetch;prerender" }));
withheld("not-navigation", "a form's POST", request({ method: "POST", headers: NAVIGATION, body: "a=1" }));
withheld("not-navigation", "no Sec-Fetch headers and no wish for HTML", request({ headers: { Accept: "*/*" } }));
withheld("not-navigation", "nothing tells", request({ headers: {} }));
withheld("duplicate", "two cookies of the name verified", {
  request: {
    headers: NAVIGATION,
    cookie: `sessionid=${old}; sessionid=${await sign.session("NEW_KEY", { data: { user: "eve" } })}`,
  },
});
withheld(
  "response-sets-cookie",
  "the origin sets it",
  {
    handle: page([`Set-Cookie: sessionid=${await sign.session("ORIGIN_KEY")}; Path=/`]),
  },
  ["sessionid"],
);
withheld(
  "response-sets-cookie",
  "the origin deletes it",
  {
    handle: page(['Set-Cookie: sessionid=""; Path=/; Max-Age=0']),
  },
  ["sessionid"],
);
withheld("clear-site-data", "the origin wipes what the browser holds", {
  handle: page(['Clear-Site-Data: "cookies"']),
});
withheld("status", "304", { handle: () => 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n' });
withheld("status", "206", {
  handle: page(["Content-Range: bytes 0-1/9"], "206 Partial Content"),
  request: { headers: { ...NAVIGATION, Range: "bytes=0-1" } },
});
withheld("late", "the page took more than two seconds", {
  handle: async () => {
    await setTimeout(2200);
    return page()();
  },
});
const STORED = [
  "Cache-Control: public, max-age=60",
  "Cache-Control: max-age=60",
  "Cache-Control: no-cache",
  'Cache-Control: private="set-cookie"',
  "Expires: Thu, 01 Jan 2037 00:00:00 GMT",
  "Surrogate-Control: max-age=60",
  "CDN-Cache-Control: max-age=60",
  "Cloudflare-CDN-Cache-Control: max-age=60",
  "CF-Cache-Status: HIT",
  "CF-Cache-Status: MISS",
];
for (const header of STORED) withheld("cacheable", header, { handle: page([header]) });

test("withheld (attributes-differ): once the origin was seen to set another Path", async (t) => {
  const other = await sign.session("ORIGIN_KEY");
  const { edge } = await edgeAndOrigin(t, pinned(), ({ path }) =>
    answer("200 OK", path === "/login" ? [`Set-Cookie: sessionid=${other}; Path=/app`] : []),
  );
  const go = (path, cookie) => send(edge.port, { path, headers: NAVIGATION, cookie });
  assert.equal((await go("/", `sessionid=${old}`)).setCookies.length, 1);
  const login = await go("/login");
  assert.equal(parseSetCookie(login.setCookies[0]).path, "/app");
  assert.deepEqual((await go("/", `sessionid=${old}`)).setCookies, []);
  const [, seen, after] = (await edge.reports(3)).map(verdictsOf);
  assert.ok(seen.includes("attributes-differ: path"), `verdicts were ${seen}`);
  assert.ok(after.includes("upgrade-withheld: attributes-differ"), `verdicts were ${after}`);
});

test("withheld (attributes-differ): a rule without Max-Age would end what the origin keeps by Expires", async (t) => {
  const other = await sign.session("ORIGIN_KEY");
  const expires = new Date(Date.now() + 86400_000).toUTCString();
  const set = `Set-Cookie: sessionid=${other}; Path=/; HttpOnly; SameSite=Lax; Expires=${expires}`;
  const config = withRule({ attributes: "Path=/; HttpOnly; SameSite=Lax" });
  const { edge } = await edgeAndOrigin(t, config, ({ path }) => answer("200 OK", path === "/login" ? [set] : []));
  const go = (path, cookie) => send(edge.port, { path, headers: NAVIGATION, cookie });
  const login = await go("/login");
  assert.ok(login.setCookies[0].endsWith(`Expires=${expires}`), "what the origin sets stays as it is");
  assert.deepEqual((await go("/", `sessionid=${old}`)).setCookies, []);
  const [seen, after] = (await edge.reports(2)).map(verdictsOf);
  assert.deepEqual(seen, ["attributes-differ: persistence", "sealed"]);
  assert.ok(after.includes("upgrade-withheld: attributes-differ"), `verdicts were ${after}`);
});

test("told and sent all the same: HttpOnly that the rule adds", async (t) => {
  const other = await sign.session("ORIGIN_KEY");
  const set = `Set-Cookie: sessionid=${other}; Path=/; SameSite=Lax; Max-Age=60`;
  const { edge } = await edgeAndOrigin(t, pinned(), ({ path }) => answer("200 OK", path === "/login" ? [set] : []));
  const go = (path, cookie) => send(edge.port, { path, headers: NAVIGATION, cookie });
  await go("/login");
  assert.equal((await go("/", `sessionid=${old}`)).setCookies.length, 1);
  const [seen, after] = (await edge.reports(2)).map(verdictsOf);
  assert.deepEqual(seen, ["attributes-differ: http-only", "sealed"]);
  assert.deepEqual(after, ["fallback", "upgraded"]);
});

test("a cookie of the future is told when it is set, and is sealed", async (t) => {
  const set = `Set-Cookie: sessionid=${await sign.session("ORIGIN_KEY", { at: ago(-3660) })}; ${SESSION.attributes}`;
  const { edge } = await edgeAndOrigin(t, pinned(), page([set]));
  const login = await send(edge.port, { headers: NAVIGATION });
  assert.ok(await sign.readSession("NEW_KEY", parseSetCookie(login.setCookies[0]).value));
  assert.deepEqual(verdictsOf((await edge.reports(1))[0]), ["sealed", "not-yet-valid"]);
});

test("an answer that says nothing of caches is made private by an upgrade", async (t) => {
  const { answer } = await visit(t);
  assert.equal(answer.header("cache-control"), "private");
});

test("a cookie under the current key is not sent again", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), page());
  const answer = await send(edge.port, { headers: NAVIGATION, cookie: `sessionid=${await sign.session("NEW_KEY")}` });
  assert.deepEqual([answer.setCookies, answer.header("cache-control")], [[], null]);
});

test("an older digest in accept is upgraded too, under the same key", async (t) => {
  const { edge, origin } = await edgeAndOrigin(
    t,
    withRule({ accept: [{ format: "django-session", digest: "sha1" }] }),
    page(),
  );
  const at = ago(100);
  const sha1 = await sign.session("NEW_KEY", { digest: "sha1", at });
  const answer = await send(edge.port, { headers: NAVIGATION, cookie: `sessionid=${sha1}` });
  assert.equal(origin.last.cookie, `sessionid=${await sign.session("ORIGIN_KEY", { at })}`);
  assert.deepEqual((await sign.readSession("NEW_KEY", parseSetCookie(answer.setCookies[0]).value)).data, {
    user: "ada",
  });
  assert.deepEqual(verdictsOf((await edge.reports(1))[0]), ["accepted-format", "upgraded"]);
});

test("Max-Age never exceeds what is left, nor deletes a session that the origin still takes", async (t) => {
  const config = withRule({ max_age: undefined, attributes: "Path=/; Max-Age=1000" });
  const { edge } = await edgeAndOrigin(t, config, page());
  const visitOf = async (age) => {
    const value = await sign.session("OLD_KEY", { at: ago(age) });
    return (await send(edge.port, { headers: NAVIGATION, cookie: `sessionid=${value}` })).setCookies.map(
      parseSetCookie,
    );
  };
  const [young] = await visitOf(10);
  assert.ok(young.maxAge <= 990 && young.maxAge >= 985, `Max-Age=${young.maxAge}`);
  const [ahead] = await visitOf(-200);
  assert.equal(ahead.maxAge, 1000);
  for (const sent of await visitOf(5000)) assert.ok(sent.maxAge > 0, `Max-Age=${sent.maxAge} deletes the cookie`);
});

test("other cookies of the answer keep their places and the upgrade follows them", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), page(["Set-Cookie: a=1; Path=/", "Set-Cookie: b=2"]));
  const answer = await send(edge.port, { headers: NAVIGATION, cookie: `sessionid=${old}` });
  assert.deepEqual(answer.setCookies.slice(0, 2), ["a=1; Path=/", "b=2"]);
  assert.equal(parseSetCookie(answer.setCookies[2]).name, "sessionid");
});
