// Where Countersign must not change a byte: on the first day, when the ring is the origin's own key, and in observe.
// The runtime itself rewrites heads (order and case of names), so the yardstick is the same runtime with a Worker that
// does nothing; cookies and bodies are held against the bytes as sent, too.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import {
  ago,
  answer,
  browser,
  django,
  firstDay,
  NAVIGATION,
  passThrough,
  rawOrigin,
  SECRETS,
  sendBytes,
  signer,
  worker,
} from "./harness.mjs";

const sign = await signer({ after });
const good = await sign.session("ORIGIN_KEY", { data: { user: "ada", blob: "x".repeat(2000) } });
const quoted = await sign.ask("signed_cookie", { key: SECRETS.ORIGIN_KEY, name: "basket", value: 'tea, "milk"; é' });
const said = await sign.ask("messages", { key: SECRETS.ORIGIN_KEY, texts: ["hello"] });
const forged = await sign.session("RETIRED_KEY");
const expired = await sign.session("ORIGIN_KEY", { at: ago(1209700) });

const COOKIES = [
  firstDay().cookies[0],
  { name: "messages", format: "django-messages", upgrade: "never" },
  { name: "basket", format: "django-signed-cookie", max_age: 1209600, upgrade: "never" },
];

const navigation = Object.entries(NAVIGATION).map(([name, value]) => `${name}: ${value}`);
const request = (line, lines, body = "") => [line, "Host: shop.example", ...lines, "", body].join("\r\n");
const chunked = "7\r\nchunk-1\r\n3\r\nend\r\n0\r\n\r\n";

/** Requests that a real site gets, all of whose managed cookies are good. */
const SOUND_REQUESTS = {
  "no cookie": request("GET / HTTP/1.1", navigation),
  "a page": request("GET /a%20b?c=%2F&d HTTP/1.1", [...navigation, `Cookie: sessionid=${good}`]),
  "all managed cookies": request("GET / HTTP/1.1", [
    `Cookie: a=1; sessionid=${good}; messages=${said}; basket=${quoted}; b=2`,
  ]),
  "a cookie header written oddly": request("GET / HTTP/1.1", [`Cookie: a=1;sessionid=${good};  b = "2" ;=3; c`]),
  "valid UTF-8 beside it": request("GET / HTTP/1.1", [`Cookie: n=Zo\xc3\xab; sessionid=${good}; p={"k":[1]}`]),
  "the session twice": request("GET / HTTP/1.1", [`Cookie: sessionid=${good}; sessionid=${good}`]),
  "a form": request(
    "POST /login HTTP/1.1",
    [`Cookie: sessionid=${good}`, "Content-Type: text/plain", "Content-Length: 5"],
    "a=\xff\x00b",
  ),
  "a chunked upload": request(
    "PUT /file HTTP/1.1",
    [`Cookie: sessionid=${good}`, "Transfer-Encoding: chunked"],
    chunked,
  ),
  "an odd header": request("GET / HTTP/1.1", [
    "X-Bytes: \xff\xc3\xa9",
    "X-Two: 1",
    "X-Two: 2",
    "x_under: 1",
    `Cookie: sessionid=${good}`,
  ]),
  WebDAV: request("PROPFIND /dav HTTP/1.1", [`Cookie: sessionid=${good}`, "Depth: 1", "Content-Length: 2"], "{}"),
  HEAD: request("HEAD / HTTP/1.1", [...navigation, `Cookie: sessionid=${good}`]),
};

/** Requests whose managed cookies are anything but good. */
const SPOILED_REQUESTS = {
  "a forged session": request("GET / HTTP/1.1", [...navigation, `Cookie: a=1; sessionid=${forged}; b=2`]),
  "an expired session": request("GET / HTTP/1.1", [`Cookie: sessionid=${expired}`]),
  "planted duplicates": request("GET / HTTP/1.1", [`Cookie: sessionid=x; sessionid=${good}; sessionid=${forged}`]),
  "look-alikes": request("GET / HTTP/1.1", [
    `Cookie: SessionID=1; sessionid; "sessionid=2; sessionid[a]=3; $Version=1`,
  ]),
  "bytes that are not UTF-8": request("GET / HTTP/1.1", [`Cookie: a=\xff\xfe; sessionid=${good}; sessionid\xa0=1`]),
  "several Cookie headers": request("GET / HTTP/1.1", [`Cookie: sessionid=${forged}`, `Cookie: sessionid=${good}`]),
  "far too long": request("GET / HTTP/1.1", [`Cookie: sessionid=${"x".repeat(20_000)}`]),
};

/** Answers of an origin, among them every kind of managed Set-Cookie. */
const ANSWERS = {
  "a page": answer("200 OK", ["Content-Type: text/html"], "<p>\xff\x00</p>"),
  "odd status text": answer("299 All's well, mostly"),
  "several cookies": answer("200 OK", [
    "Set-Cookie: a=1; Path=/",
    "Set-Cookie: b=2; Expires=Wed, 09 Jun 2100 10:18:14 GMT",
    "Set-Cookie: a=3",
  ]),
  "a login": answer("302 Found", [
    "Location: /",
    `Set-Cookie: sessionid=${good}; expires=Sat, 05 Dec 2099 07:46:57 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax`,
    "Vary: Cookie",
  ]),
  "attributes written oddly": answer("200 OK", [`Set-Cookie: sessionid=${good};path=/;  HTTPONLY;;max-age = 5`]),
  "a logout": answer("200 OK", ['Set-Cookie: sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/']),
  "a cookie of another key": answer("200 OK", [`Set-Cookie: sessionid=${forged}; Path=/`]),
  cached: answer("200 OK", ["Cache-Control: public, max-age=60", 'ETag: "x"']),
  "no content": "HTTP/1.1 204 No Content\r\nX-Left: 1\r\n\r\n",
  "not modified": 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
  compressed: answer(
    "200 OK",
    ["Content-Encoding: gzip", "Content-Type: text/plain"],
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x04\x00\x43\xbe\xb7\xe8\x01\x00\x00\x00",
  ),
  chunked: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
};

/** The traffic of one request and its answer on both sides, as bytes. */
async function traffic(edge, origin, bytes) {
  const before = origin.requests.length;
  const reply = await sendBytes(edge.port, bytes);
  const { head, body } = origin.requests[before];
  return {
    atOrigin: head + body.toString("latin1"),
    atVisitor: reply.head + reply.body.toString("latin1"),
    cookie: origin.requests[before].cookie,
    reply,
  };
}

async function assertUntouched(t, config, requests, answers) {
  let reply;
  const origin = await rawOrigin(t, () => reply);
  const edge = await worker(t, { config, secrets: SECRETS, origin });
  const runtime = await passThrough(t, { origin });
  const cases = [
    ...Object.entries(requests).map(([name, bytes]) => [`asked: ${name}`, bytes, ANSWERS["a page"]]),
    ...Object.entries(answers).map(([name, bytes]) => [`answered: ${name}`, SOUND_REQUESTS["a page"], bytes]),
  ];
  for (const [name, bytes, canned] of cases) {
    reply = bytes.startsWith("HEAD") ? canned.slice(0, canned.indexOf("\r\n\r\n") + 4) : canned;
    const { reply: received, ...through } = await traffic(edge, origin, bytes);
    const { reply: expected, ...untouched } = await traffic(runtime, origin, bytes);
    assert.deepEqual(through, untouched, name);
    assert.equal(received.status, expected.status, name);
    const sent = [...bytes.matchAll(/^Cookie: (.*)\r$/gm)].map(([, value]) => value).join(", ");
    assert.equal(through.cookie ?? "", sent, `${name}: the cookies as sent`);
  }
}

test("with the ring holding only the origin's own key not a byte of sound traffic changes", (t) =>
  assertUntouched(t, firstDay({ cookies: COOKIES }), SOUND_REQUESTS, ANSWERS));

test("the same holds when a key is staged", (t) => {
  const keys = { current: "ORIGIN_KEY", fallbacks: ["NEW_KEY"], origin: "ORIGIN_KEY" };
  return assertUntouched(t, firstDay({ cookies: COOKIES, keys }), SOUND_REQUESTS, ANSWERS);
});

test("observe leaves every byte as it was, however bad the cookies", (t) =>
  assertUntouched(
    t,
    firstDay({ mode: "observe", cookies: COOKIES }),
    { ...SOUND_REQUESTS, ...SPOILED_REQUESTS },
    ANSWERS,
  ));

test("observe reports what enforce would have done", async (t) => {
  const verdicts = async (mode) => {
    const origin = await rawOrigin(t, () => ANSWERS["a cookie of another key"]);
    const edge = await worker(t, { config: firstDay({ mode }), secrets: SECRETS, origin });
    await sendBytes(
      edge.port,
      request("GET / HTTP/1.1", [`Cookie: sessionid=${forged}; SessionID=1; sessionid=${good}; sessionid=x`]),
    );
    const [report] = await edge.reports(1);
    assert.equal(report.mode, mode);
    return report.verdicts;
  };
  const observed = await verdicts("observe");
  assert.ok(observed.length >= 4, JSON.stringify(observed));
  assert.deepEqual(observed, await verdicts("enforce"));
});

test("a real Django site behaves the same before and after Countersign is installed, and after it is removed", async (t) => {
  const site = await django(t, { key: SECRETS.ORIGIN_KEY });
  const edge = await worker(t, { config: firstDay({ cookies: COOKIES }), secrets: SECRETS, origin: site });
  const visitor = browser(site);
  await visitor.go("/login?item=tea");
  await visitor.go("/say?text=hello");
  await visitor.go("/sign?value=milk");

  const own = visitor.cookie("sessionid");
  visitor.at = edge;
  const page = await visitor.go("/");
  assert.equal(page.json().user, "ada");
  assert.deepEqual([page.setCookies, visitor.cookie("sessionid")], [[], own]);
  assert.deepEqual((await visitor.go("/shown")).json(), { messages: ["hello"] });
  await visitor.go("/touch");
  visitor.at = site;
  assert.deepEqual((await visitor.go("/")).json().session, { basket: ["tea"], touched: "yes" });
});
