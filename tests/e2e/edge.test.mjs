// How a request reaches the Worker and how the Worker reaches the origin (rule B4): hosts, origin_url, origin_header, bindings.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ago, answer, echoWebSocket, firstDay, openWebSocket, pinned, rawOrigin } from "./harness.mjs";
import { SECRETS, send, sendBytes, signer, variablesSite, worker } from "./harness.mjs";

const sign = await signer({ after });
const at = ago(10);
const [ringCopy, originCopy] = await Promise.all(["NEW_KEY", "ORIGIN_KEY"].map((key) => sign.session(key, { at })));
const cookie = `sessionid=${ringCopy}`;
const TOKEN = { EDGE_TOKEN: "token-between-edge-and-origin-3fa1" };
const SPOOFED = [
  ["X-Forwarded-Host", "evil.example"],
  ["X-Forwarded-Proto", "gopher"],
  ["X-Forwarded-For", "203.0.113.9"],
  ["X-Forwarded-Port", "1"],
  ["X-Forwarded-Prefix", "/evil"],
  ["X-Forwarded-Anything", "1"],
  ["Forwarded", "for=203.0.113.9;host=evil.example"],
  ["X-Host", "evil.example"],
  ["X-Original-Host", "evil.example"],
];

/** The Worker with two ways out: the route of the zone, and what `bindings` name. */
async function twoWaysOut(t, config, bindings) {
  const route = await rawOrigin(t);
  const other = await rawOrigin(t, () =>
    answer("200 OK", [`Set-Cookie: sessionid=${originCopy}; Path=/`], "by the other way"),
  );
  const edge = await worker(t, {
    config,
    secrets: { ...SECRETS, ...TOKEN },
    origin: route,
    bindings: bindings(other.port),
  });
  return { edge, route, other };
}

test("a request to workers.dev gets 421 and reaches no origin", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, { config: pinned(), secrets: SECRETS, origin });
  for (const host of [
    "app.someone.workers.dev",
    "APP.someone.WORKERS.dev",
    "workers.dev",
    "x.workers.dev:8080",
    "x.workers.dev.",
  ]) {
    const reply = await send(edge.port, { host, cookie });
    assert.deepEqual([host, reply.status, reply.header("cache-control")], [host, 421, "no-store"]);
  }
  assert.equal(origin.requests.length, 0);
  for (const host of ["shop.example", "notworkers.dev", "workers.dev.shop.example"]) {
    assert.equal((await send(edge.port, { host })).status, 200, host);
  }
});

test("hosts lets the workers.dev hosts pass that it lists, and no other", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, { config: pinned({ hosts: ["app.someone.workers.dev"] }), secrets: SECRETS, origin });
  assert.equal((await send(edge.port, { host: "app.someone.workers.dev", cookie })).status, 200);
  assert.equal(origin.last.cookie, `sessionid=${originCopy}`);
  assert.equal((await send(edge.port, { host: "old-app.someone.workers.dev" })).status, 421);
});

test("on a zone's route the origin sees the visitor's host and headers as they came", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, { config: pinned(), secrets: SECRETS, origin });
  await send(edge.port, { headers: SPOOFED, cookie });
  assert.equal(origin.last.header("host"), "shop.example");
  for (const [name, value] of SPOOFED) assert.equal(origin.last.header(name), value, name);
});

/** origin_url names a host that the runtime's way out answers for, so that what it would resolve does not matter. */
const viaUrl = (changes) => pinned({ origin_url: "http://app.internal.example", ...changes });

test("with origin_url the request goes there, and the visitor's host and scheme go along", async (t) => {
  const origin = await rawOrigin(t, () =>
    answer("302 Found", [`Set-Cookie: sessionid=${originCopy}; Path=/`, "Location: /next"]),
  );
  const edge = await worker(t, { config: viaUrl(), secrets: SECRETS, origin });
  for (const scheme of ["http", "https"]) {
    const reply = await send(edge.port, {
      method: "POST",
      path: "/a%20b?c=%2F",
      headers: { "Test-Scheme": scheme },
      cookie,
      body: "x=1",
    });
    const { last } = origin;
    assert.deepEqual(
      [last.method, last.path, last.body.toString(), last.cookie],
      ["POST", "/a%20b?c=%2F", "x=1", `sessionid=${originCopy}`],
    );
    assert.deepEqual(["host", "x-forwarded-host", "x-forwarded-proto"].map(last.header), [
      "app.internal.example",
      "shop.example",
      scheme,
    ]);
    assert.deepEqual([reply.status, reply.setCookies], [302, [`sessionid=${ringCopy}; Path=/`]]);
  }
});

test("with origin_url what the visitor says of hosts and forwarders is replaced or dropped", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, { config: viaUrl(), secrets: SECRETS, origin });
  for (const shown of [cookie, "a=1", undefined]) {
    await send(edge.port, { headers: SPOOFED, cookie: shown });
    assert.doesNotMatch(
      origin.last.head,
      /evil|gopher|203\.0\.113\.9|x-forwarded-anything|^x-host|^x-original-host|^forwarded/im,
    );
    assert.equal(origin.last.header("x-forwarded-host"), "shop.example");
    assert.equal(origin.last.header("x-forwarded-proto"), "http");
  }
});

for (const [way, config] of [
  ["origin_url", viaUrl()],
  ["origin_header", pinned({ origin_header: { name: "X-Edge", secret: "EDGE_TOKEN" } })],
  ["a service binding", pinned()],
]) {
  test(`a WebSocket and a chunked upload pass by ${way}, with and without a managed cookie`, async (t) => {
    const handle = (request, socket, reader) =>
      request.method === "GET" ? void echoWebSocket(request, socket, reader).catch(() => {}) : answer("200 OK");
    const origin = await rawOrigin(t, handle);
    const bindings = way === "a service binding" ? { ORIGIN: { service: true, port: origin.port } } : {};
    const edge = await worker(t, { config, secrets: { ...SECRETS, ...TOKEN }, origin, bindings });
    for (const shown of [cookie, "a=1"]) {
      const webSocket = await openWebSocket(edge.port, { path: "/socket?a=1", headers: [`Cookie: ${shown}`] });
      assert.equal(webSocket.status, 101);
      assert.equal(await webSocket.say("hello"), "echo: hello");
      assert.equal(await webSocket.close(), 1000);
      assert.deepEqual([origin.last.path, origin.last.cookie], ["/socket?a=1", shown.replace(ringCopy, originCopy)]);

      const head = ["PUT /file HTTP/1.1", "Host: shop.example", `Cookie: ${shown}`, "Transfer-Encoding: chunked"];
      await sendBytes(edge.port, [...head, "", "5\r\nfirst\r\n3\r\n, 2\r\n0\r\n\r\n"].join("\r\n"));
      assert.deepEqual([origin.last.method, origin.last.body.toString()], ["PUT", "first, 2"]);
    }
  });
}

test("origin_url may carry a port and a scheme of its own", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, {
    config: viaUrl({ origin_url: "https://app.internal.example:8443/" }),
    secrets: SECRETS,
    origin,
  });
  await send(edge.port, { path: "/x", cookie });
  assert.deepEqual([origin.last.header("host"), origin.last.path], ["app.internal.example:8443", "/x"]);
});

test("a path that looks like another host's URL stays a path of origin_url", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, { config: viaUrl(), secrets: SECRETS, origin });
  for (const path of ["//evil.example/x", "/\\evil.example", "/http://evil.example/", "/@evil.example"]) {
    await send(edge.port, { path });
    assert.equal(origin.last.header("host"), "app.internal.example", path);
  }
});

test("an origin_url that is one of the Worker's own routes is refused, not followed in a circle", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, { config: viaUrl({ origin_url: "https://shop.example" }), secrets: SECRETS, origin });
  for (const host of ["shop.example", "SHOP.example", "shop.example:443"]) {
    const reply = await send(edge.port, { host, cookie, headers: { "Test-Scheme": "https" } });
    assert.deepEqual([host, reply.status, reply.header("cache-control")], [host, 503, "no-store"]);
  }
  assert.equal(origin.requests.length, 0);
  await edge.logged(/COUNTERSIGN\.origin_url: /);
});

test("in observe, origin_url still leads to the origin and the cookies stay", async (t) => {
  const origin = await rawOrigin(t);
  const edge = await worker(t, {
    config: viaUrl({ ...firstDay(), mode: "observe", origin_url: "http://app.internal.example" }),
    secrets: SECRETS,
    origin,
  });
  await send(edge.port, { cookie: "sessionid=forged-by-someone; a=1" });
  assert.deepEqual(
    [origin.last.header("host"), origin.last.cookie],
    ["app.internal.example", "sessionid=forged-by-someone; a=1"],
  );
});

test("origin_header is set on every request and replaces what the visitor sent", async (t) => {
  const origin = await rawOrigin(t);
  const config = pinned({ origin_header: { name: "X-Edge", secret: "EDGE_TOKEN" } });
  const edge = await worker(t, { config, secrets: { ...SECRETS, ...TOKEN }, origin });
  for (const headers of [
    [],
    [["X-Edge", "guess"]],
    [
      ["x-edge", "guess"],
      ["X-EDGE", "two"],
    ],
  ]) {
    for (const shown of [cookie, undefined]) {
      await send(edge.port, { headers, cookie: shown });
      assert.equal(origin.last.header("x-edge"), TOKEN.EDGE_TOKEN);
    }
  }
});

test("origin_header is set in observe too, where the origin insists on it", async (t) => {
  const origin = await rawOrigin(t);
  const config = firstDay({ mode: "observe", origin_header: { name: "X-Edge", secret: "EDGE_TOKEN" } });
  const edge = await worker(t, { config, secrets: { ...SECRETS, ...TOKEN }, origin });
  await send(edge.port, { headers: { "X-Edge": "guess" }, cookie: "sessionid=x; a=1" });
  assert.deepEqual([origin.last.header("x-edge"), origin.last.cookie], [TOKEN.EDGE_TOKEN, "sessionid=x; a=1"]);
});

// What a server in the tradition of CGI makes of it all: it joins names that differ in `-`, `_` and case.

/** What a visitor says of host, address and path; the origin has no other source for some of these. */
const LIES = {
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Proto": "gopher",
  "X-Forwarded-For": "203.0.113.9",
  Forwarded: "for=203.0.113.9;host=evil.example",
  "X-Host": "evil.example",
  "X-Original-Host": "evil.example",
  "X-HTTP-Host-Override": "evil.example",
  "X-Real-IP": "203.0.113.9",
  "X-Client-IP": "203.0.113.9",
  "Client-IP": "203.0.113.9",
  "True-Client-IP": "203.0.113.9",
  "X-Cluster-Client-IP": "203.0.113.9",
  "X-ProxyUser-Ip": "203.0.113.9",
  "X-Original-Forwarded-For": "203.0.113.9",
  "X-Original-URL": "/evil",
  "X-Rewrite-URL": "/evil",
  "X-Script-Name": "/evil",
  "X-Scheme": "gopher",
  "X-Url-Scheme": "gopher",
  "Front-End-Https": "evil",
  "CF_Connecting_IP": "203.0.113.9",
  "CF-Connecting_IP": "203.0.113.9",
};
const FROM_CLOUDFLARE = { "CF-Connecting-IP": "198.51.100.7", "CF-Visitor": '{"scheme":"https"}' };

const SPELLINGS = {
  "as they are": (name) => name,
  "with underscores": (name) => name.replaceAll("-", "_"),
  "with an underscore": (name) => name.replace("-", "_"),
  "with underscores, in capitals": (name) => name.replaceAll("-", "_").toUpperCase(),
};

/** The variables that a real wsgiref sees of a request with these headers. */
async function variablesOf(t, config) {
  const origin = await variablesSite(t);
  const edge = await worker(t, { config, secrets: { ...SECRETS, ...TOKEN }, origin });
  return async (headers, shown) => (await send(edge.port, { headers, cookie: shown })).json();
}

for (const [spelled, spell] of Object.entries(SPELLINGS)) {
  test(`with origin_url no header of the visitor's passes for the edge's at a CGI-style server: ${spelled}`, async (t) => {
    const variables = await variablesOf(t, viaUrl());
    const lies = Object.entries(LIES).map(([name, value]) => [spell(name), value]);
    const kept = { "X-CSRF-Token": "kept", x_own_header: "kept", "X-Requested-With": "kept", "X-HTTP-Method-Override": "PUT" };
    const others = { ...FROM_CLOUDFLARE, ...kept };
    for (const shown of [cookie, "a=1", undefined]) {
      // a lie spelled as Cloudflare spells it cannot come through Cloudflare
      const told = await variables([...lies.filter(([name]) => !/^cf-/i.test(name) || name.includes("_")), ...Object.entries(others)], shown);
      const { HTTP_COOKIE, ...rest } = told;
      assert.deepEqual(rest, {
        HTTP_HOST: "app.internal.example",
        HTTP_X_FORWARDED_HOST: "shop.example",
        HTTP_X_FORWARDED_PROTO: "http",
        HTTP_X_FORWARDED_FOR: "198.51.100.7",
        HTTP_CF_CONNECTING_IP: "198.51.100.7",
        HTTP_CF_VISITOR: '{"scheme":"https"}',
        HTTP_X_CSRF_TOKEN: "kept",
        HTTP_X_OWN_HEADER: "kept",
        HTTP_X_REQUESTED_WITH: "kept",
        HTTP_X_HTTP_METHOD_OVERRIDE: "PUT",
      });
      assert.equal(HTTP_COOKIE, shown?.replace(ringCopy, originCopy));
    }
  });
}

test("with origin_url the address that Cloudflare itself writes into True-Client-IP stays", async (t) => {
  const variables = await variablesOf(t, viaUrl());
  const told = await variables({ ...FROM_CLOUDFLARE, "True-Client-IP": FROM_CLOUDFLARE["CF-Connecting-IP"] }, cookie);
  assert.equal(told.HTTP_TRUE_CLIENT_IP, FROM_CLOUDFLARE["CF-Connecting-IP"]);
});

for (const [way, changes] of [
  ["a zone's route", {}],
  ["origin_url", { origin_url: "http://app.internal.example" }],
]) {
  for (const [name, spellings] of [
    ["X-Edge", ["X_Edge", "x_edge", "X_EDGE"]],
    ["x_edge", ["X-Edge", "X-EDGE"]],
    ["X-The-Edge-Key", ["X_The_Edge_Key", "X-The_Edge-Key", "x_the-edge-key"]],
    ["X-The-Key-Of-The-Edge", ["X_The_Key_Of_The_Edge", "X-The-Key_Of-The-Edge"]],
  ]) {
    test(`origin_header ${name} is the edge's alone in every spelling, by ${way}`, async (t) => {
      const config = pinned({ origin_header: { name, secret: "EDGE_TOKEN" }, ...changes });
      const variables = await variablesOf(t, config);
      const variable = `HTTP_${name.toUpperCase().replaceAll("-", "_")}`;
      for (const shown of [cookie, "a=1"]) {
        const told = await variables([...spellings.map((spelling) => [spelling, "guess"]), [name, "guess"]], shown);
        assert.equal(told[variable], TOKEN.EDGE_TOKEN);
      }
    });
  }
}

test("a service binding called ORIGIN is the way to the origin", async (t) => {
  const { edge, route, other } = await twoWaysOut(t, pinned(), (port) => ({ ORIGIN: { service: true, port } }));
  const reply = await send(edge.port, { path: "/x", cookie });
  assert.deepEqual([reply.text, reply.setCookies], ["by the other way", [`sessionid=${ringCopy}; Path=/`]]);
  assert.deepEqual(
    [route.requests.length, other.last.cookie, other.last.header("host")],
    [0, `sessionid=${originCopy}`, "shop.example"],
  );
  await send(edge.port, { path: "/y" });
  assert.deepEqual([route.requests.length, other.last.path], [0, "/y"]);
});

test("a service binding whose Worker is down is 502", async (t) => {
  const { edge, other } = await twoWaysOut(t, pinned(), (port) => ({ ORIGIN: { service: true, port } }));
  await other.stop();
  assert.equal((await send(edge.port, { cookie })).status, 502);
});
