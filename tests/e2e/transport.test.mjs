// What HTTP itself asks of a Worker in between (rules S1 and S2, B2): methods, statuses, headers, WebSockets, an origin that is down.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  ago,
  answer,
  echoWebSocket,
  edgeAndOrigin,
  NAVIGATION,
  openWebSocket,
  parseSetCookie,
  pinned,
  send,
  SESSION,
  signer,
} from "./harness.mjs";

const sign = await signer({ after });
const at = ago(10);
const [ringCopy, originCopy, oldCopy] = await Promise.all(
  ["NEW_KEY", "ORIGIN_KEY", "OLD_KEY"].map((key) => sign.session(key, { at })),
);
const setSession = `Set-Cookie: sessionid=${originCopy}; HttpOnly; Path=/`;
const cookie = `sessionid=${ringCopy}`;
const resigned = `sessionid=${originCopy}`;

for (const method of [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "PURGE",
  "PROPFIND",
  "MKCOL",
  "REPORT",
  "LOCK",
  "SEARCH",
]) {
  test(`${method} arrives as it was sent, with its body and the re-signed cookie`, async (t) => {
    const { edge, origin } = await edgeAndOrigin(t, pinned(), () => answer("207 Multi-Status", [setSession], "fine"));
    const body = method === "GET" ? undefined : "a=1\xff";
    const reply = await send(edge.port, { method, path: "/x?y=%20", cookie, body });
    const { method: arrived, path, body: sent, cookie: shown } = origin.last;
    assert.deepEqual([arrived, path, sent.toString("latin1"), shown], [method, "/x?y=%20", body ?? "", resigned]);
    assert.deepEqual([reply.status, reply.statusText, reply.text], [207, "Multi-Status", "fine"]);
    assert.deepEqual(reply.setCookies, [`sessionid=${ringCopy}; HttpOnly; Path=/`]);
  });
}

test("status text, several cookies and every other header stay, in their order", async (t) => {
  const others = ["Set-Cookie: a=1; Path=/", setSession, "Set-Cookie: a=2; Path=/x", "Set-Cookie: b=Zo\xc3\xab"];
  const { edge } = await edgeAndOrigin(t, pinned(), () =>
    answer("299 All's well, mostly", ["X-One: 1", ...others, "Vary: Cookie", "X-Late: 2"]),
  );
  const reply = await send(edge.port, { cookie });
  assert.equal(reply.statusText, "All's well, mostly");
  assert.deepEqual(reply.setCookies, [
    "a=1; Path=/",
    `sessionid=${ringCopy}; HttpOnly; Path=/`,
    "a=2; Path=/x",
    "b=Zo\xc3\xab",
  ]);
  assert.deepEqual([reply.header("x-one"), reply.header("vary"), reply.header("x-late")], ["1", "Cookie", "2"]);
});

test("several managed cookies in one answer are each sealed", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), () =>
    answer("200 OK", [setSession, "Set-Cookie: x=1", `Set-Cookie: sessionid=${originCopy}; Path=/two`]),
  );
  const reply = await send(edge.port);
  assert.deepEqual(reply.setCookies, [
    `sessionid=${ringCopy}; HttpOnly; Path=/`,
    "x=1",
    `sessionid=${ringCopy}; Path=/two`,
  ]);
});

for (const status of [
  "301 Moved Permanently",
  "302 Found",
  "303 See Other",
  "307 Temporary Redirect",
  "308 Permanent Redirect",
]) {
  test(`${status} is handed on with its cookie, not followed`, async (t) => {
    const { edge, origin } = await edgeAndOrigin(t, pinned(), () => answer(status, ["Location: /next", setSession]));
    const reply = await send(edge.port, { method: "POST", cookie, body: "user=ada" });
    assert.deepEqual(
      [reply.status, reply.header("location"), origin.requests.length],
      [Number(status.slice(0, 3)), "/next", 1],
    );
    assert.deepEqual(reply.setCookies, [`sessionid=${ringCopy}; HttpOnly; Path=/`]);
  });
}

for (const [name, bytes] of Object.entries({
  204: `HTTP/1.1 204 No Content\r\n${setSession}\r\n\r\n`,
  304: `HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n${setSession}\r\n\r\n`,
  205: `HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n${setSession}\r\n\r\n`,
})) {
  test(`${name} has its cookie sealed and no body`, async (t) => {
    const { edge } = await edgeAndOrigin(t, pinned(), () => bytes);
    const reply = await send(edge.port, { cookie });
    assert.deepEqual([reply.status, reply.body.length], [Number(name), 0]);
    assert.deepEqual(reply.setCookies, [`sessionid=${ringCopy}; HttpOnly; Path=/`]);
  });
}

// what is below 200 the runtime takes for interim, and waits on
for (const status of [600, 601, 700, 999]) {
  test(`${status}, which the runtime cannot write anew, goes back unchanged and is told`, async (t) => {
    const { edge } = await edgeAndOrigin(t, pinned({ reports: "none" }), () => answer(`${status} Odd`, [setSession], "a page"));
    for (const shown of [cookie, `sessionid=${oldCopy}`, undefined]) {
      const reply = await send(edge.port, { cookie: shown, headers: NAVIGATION });
      assert.deepEqual([reply.status, reply.statusText], [status, "Odd"]);
      assert.deepEqual(reply.setCookies, [setSession.slice("Set-Cookie: ".length)]);
      assert.equal(reply.text, "a page");
    }
    const told = edge.logs().filter(({ message }) => message.includes(`answered with status ${status};`));
    assert.deepEqual([told.length, told[0].level], [1, "error"]);
    assert.doesNotMatch(edge.logText(), /a fault of its own/);
  });
}

test("a status that cannot be written anew is told as no cookie sealed or upgraded", async (t) => {
  for (const [headers, verdicts] of [
    [[setSession], []],
    [[], []],
    [["Set-Cookie: sessionid=x; Path=/"], ["origin-unverified"]],
  ]) {
    const { edge } = await edgeAndOrigin(t, pinned(), () => answer("666 Odd", headers));
    const reply = await send(edge.port, { cookie: `sessionid=${oldCopy}`, headers: NAVIGATION });
    assert.deepEqual([reply.status, reply.setCookies.length], [666, headers.length]);
    const [report] = await edge.reports(1);
    const beside = ["upgrade-withheld", "attributes-differ"];
    const said = report.verdicts.map(({ verdict }) => verdict).filter((verdict) => !beside.includes(verdict));
    assert.deepEqual(said, ["fallback", ...verdicts]);
  }
});

test("a status of three odd digits without a managed cookie goes back as anywhere", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), () => answer("799 Odd", ["Set-Cookie: a=1"]));
  const reply = await send(edge.port, { cookie });
  assert.deepEqual([reply.status, reply.setCookies], [799, ["a=1"]]);
  assert.doesNotMatch(edge.logText(), /answered with status/);
});

test("a 101 that nobody asked for goes back unchanged", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), () => `HTTP/1.1 101 Odd\r\n${setSession}\r\n\r\n`);
  const reply = await send(edge.port, { cookie });
  assert.deepEqual([reply.status, reply.setCookies.length], [101, 1]);
  await edge.logged(/answered with status 101;/);
});

test("HEAD keeps the length that GET would have, with and without an upgrade", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, pinned(), () => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  for (const [copy, upgrades] of [
    [ringCopy, 0],
    [oldCopy, 1],
  ]) {
    const reply = await send(edge.port, { method: "HEAD", headers: NAVIGATION, cookie: `sessionid=${copy}` });
    assert.deepEqual([reply.status, reply.header("content-length"), reply.setCookies.length], [200, "1234", upgrades]);
    assert.deepEqual([origin.last.method, origin.last.cookie], ["HEAD", resigned]);
  }
});

test("a compressed body stays compressed beside a sealed cookie", async (t) => {
  const zipped = gzipSync("a page").toString("latin1");
  const { edge } = await edgeAndOrigin(t, pinned(), () =>
    answer("200 OK", ["Content-Encoding: gzip", "Content-Type: text/html", setSession], zipped),
  );
  const reply = await send(edge.port, { cookie, headers: { "Accept-Encoding": "gzip" } });
  assert.deepEqual([reply.header("content-encoding"), gunzipSync(reply.body).toString()], ["gzip", "a page"]);
  assert.deepEqual(reply.setCookies, [`sessionid=${ringCopy}; HttpOnly; Path=/`]);
});

test("a deletion passes as it is, however it is written", async (t) => {
  const deletions = [
    'sessionid=""; Path=/; Max-Age=0',
    "sessionid=; Path=/",
    "sessionid=x; path=/; MAX-AGE=-1",
    "sessionid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
    `sessionid=${originCopy}; Max-Age=60; Path=/; Max-Age=0`,
  ];
  for (const deletion of deletions) {
    const { edge } = await edgeAndOrigin(t, pinned(), () => answer("200 OK", [`Set-Cookie: ${deletion}`]));
    assert.deepEqual((await send(edge.port, { cookie })).setCookies, [deletion]);
    assert.deepEqual((await edge.reports(1))[0].verdicts.at(-1), { rule: "sessionid", verdict: "deletion" });
  }
});

test("a logout under another Path or Domain is followed by one under the rule's, so that no upgraded twin stays", async (t) => {
  const rule = { ...SESSION, attributes: "Path=/; Domain=shop.example; HttpOnly; Max-Age=1209600" };
  for (const own of ["Path=/app; Max-Age=0", "Path=/; Max-Age=0", "Domain=other.example; Path=/; Max-Age=0"]) {
    const { edge } = await edgeAndOrigin(t, pinned({ cookies: [rule] }), () =>
      answer("200 OK", [`Set-Cookie: sessionid=""; ${own}`, "Set-Cookie: a=1"]),
    );
    const { setCookies } = await send(edge.port, { cookie });
    assert.equal(setCookies.length, 3);
    assert.equal(setCookies[0], `sessionid=""; ${own}`);
    const second = setCookies
      .slice(1)
      .map(parseSetCookie)
      .find(({ name }) => name === "sessionid");
    assert.deepEqual([second.path, second.domain], ["/", "shop.example"]);
    assert.ok(second.maxAge <= 0 || second.expires <= Date.now(), "it deletes nothing");
  }
});

test("a managed cookie under a key that is not the origin's passes, and is reported as an error", async (t) => {
  const strange = `sessionid=${await sign.session("RETIRED_KEY")}; ${SESSION.attributes}`;
  const { edge } = await edgeAndOrigin(t, pinned({ reports: "refusals" }), () =>
    answer("200 OK", [`Set-Cookie: ${strange}`]),
  );
  assert.deepEqual((await send(edge.port)).setCookies, [strange]);
  assert.deepEqual((await edge.reports(1))[0].verdicts, [{ rule: "sessionid", verdict: "origin-unverified" }]);
  assert.equal(edge.logs().find(({ message }) => message.includes("origin-unverified")).level, "error");
});

test("a WebSocket passes, its cookies re-signed both ways and no upgrade in its answer", async (t) => {
  const { edge, origin } = await edgeAndOrigin(
    t,
    pinned(),
    (request, socket, reader) =>
      void echoWebSocket(request, socket, reader, request.path === "/set" ? [setSession] : []).catch(() => {}),
  );
  for (const [path, copy, setCookies] of [
    ["/", ringCopy, []],
    ["/", oldCopy, []],
    ["/set", ringCopy, [`sessionid=${ringCopy}; HttpOnly; Path=/`]],
  ]) {
    const navigation = Object.entries(NAVIGATION).map(([name, value]) => `${name}: ${value}`);
    const webSocket = await openWebSocket(edge.port, { path, headers: [`Cookie: sessionid=${copy}`, ...navigation] });
    assert.deepEqual([webSocket.status, webSocket.setCookies], [101, setCookies]);
    assert.equal(origin.last.cookie, resigned);
    assert.equal(await webSocket.say("hello"), "echo: hello");
    assert.equal(await webSocket.say("again"), "echo: again");
    assert.equal(await webSocket.close(), 1000);
  }
});

test("an origin that is down is 502 at once, and works again when it is back", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, pinned());
  assert.equal((await send(edge.port, { cookie })).status, 200);
  await origin.stop();
  for (const request of [{ cookie }, {}, { method: "POST", cookie, body: "x" }]) {
    const started = Date.now();
    const reply = await send(edge.port, request);
    assert.deepEqual([reply.status, reply.header("cache-control")], [502, "no-store"]);
    assert.ok(Date.now() - started < 1000, "the answer came late");
  }
  await origin.listen();
  assert.equal((await send(edge.port, { cookie })).status, 200);
  assert.equal(origin.last.cookie, resigned);
});

test("an origin that hangs up without an answer is 502", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), (request, socket) => void socket.destroy());
  assert.equal((await send(edge.port, { cookie })).status, 502);
});
