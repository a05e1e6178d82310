// What the buttons of the demo's page call: a server on 127.0.0.1 for this page alone.
//
// Other pages in the same browser must not rotate anything. So a request is answered only with a Host of this server
// (no name that another site points here), an Origin of the page (the browser names it, scripts cannot), and the token
// of this run in a header: that makes the browser ask for leave first, and only the page has the token in its text,
// which pages of other origins, other ports of this machine among them, can neither read nor put in a frame.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

/** Serves `GET /state` and `POST /NAME` for each of `actions`; resolves with `{url, token, close}`. */
export async function controlServer({ pages, state, actions }) {
  const token = randomBytes(32).toString("base64url");
  const server = http.createServer((request, response) => {
    const { status, headers, body } = answerTo(request);
    Promise.resolve(body)
      .then((value) => response.writeHead(status, headers).end(value === undefined ? undefined : JSON.stringify(value)))
      .catch((error) => response.writeHead(500, headers).end(JSON.stringify({ error: error.message })));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref(); // the site and the Worker are what the demo lives for
  const host = `127.0.0.1:${server.address().port}`;
  let busy = false;

  function answerTo({ method, url, headers }) {
    const { origin } = headers;
    if (headers.host !== host || !pages.includes(origin)) return { status: 403 };
    const allowed = { ...ALLOWED, "Access-Control-Allow-Origin": origin };
    if (method === "OPTIONS") return { status: 204, headers: allowed };
    if (!isEqual(headers.authorization, `Bearer ${token}`)) return { status: 403, headers: allowed };
    if (method === "GET" && url === "/state") return { status: 200, headers: allowed, body: state() };
    const action = method === "POST" && Object.hasOwn(actions, url.slice(1)) && actions[url.slice(1)];
    if (!action) return { status: 404, headers: allowed };
    if (busy) return { status: 409, headers: allowed, body: { error: "the step before is not done yet" } };
    return { status: 200, headers: allowed, body: oneAtATime(action) };
  }

  async function oneAtATime(action) {
    busy = true;
    try {
      return (await action()) ?? {};
    } finally {
      busy = false;
    }
  }

  const close = () => (server.closeAllConnections(), server.close());
  return { url: `http://${host}`, token, close };
}

const ALLOWED = {
  "Access-Control-Allow-Headers": "Authorization",
  "Access-Control-Allow-Methods": "GET, POST",
  "Access-Control-Max-Age": "600",
  "Cache-Control": "no-store",
  "Content-Type": "application/json",
  Vary: "Origin",
};

function isEqual(given = "", wanted) {
  const [a, b] = [given, wanted].map((text) => Buffer.from(text));
  return a.length === b.length && timingSafeEqual(a, b);
}
