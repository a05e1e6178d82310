// Stands in for Cloudflare's edge towards a real browser: public host names by TLS and HTTP/2, with what listens on
// this machine behind them. It keeps what each request said of itself and what cookies its answer set.
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sensitive, sensitiveCookies } from "./leaks.mjs";
import { interpreter } from "./processes.mjs";

/**
 * Serves `sites`: by host name anything with a `port`, which is asked anew for each request, or a function from a path
 * to a page. `flags` let a Chromium find the hosts and trust them; `url(host, path)` is an address; `exchanges` are the
 * requests so far, `{host, path, method, cookie, said, status, setCookies}` each, of which the last two are there once it
 * is answered. `said` are mode, destination, site and purpose of the Fetch metadata: "navigate document none".
 */
export async function front(t, sites) {
  const hosts = Object.keys(sites);
  const { key, cert } = certificate(hosts);
  const exchanges = [];
  const server = http2.createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
    const exchange = asExchange(request);
    exchanges.push(exchange);
    const site = sites[exchange.host];
    if (site?.port) forward(site.port, { request, response, exchange });
    else page(site, { response, exchange });
  });
  const sessions = new Set();
  server.on("session", (session) => sessions.add(session));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address();
  const mapped = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(", ");
  return {
    flags: [`--host-resolver-rules=${mapped}, ${NO_OTHER_HOST}`, `--ignore-certificate-errors-spki-list=${fingerprint(cert)}`],
    url: (host, path = "/") => `https://${host}:${port}${path}`,
    exchanges,
    /** Waits until a path has been asked for and answered, by a request after the first `before`; resolves with the latest. */
    async answered(path, before = 0) {
      const found = () => exchanges.slice(before).findLast((exchange) => exchange.path === path && exchange.status);
      for (const end = Date.now() + PATIENCE_MS; !found(); await setTimeout(10))
        if (Date.now() > end) throw new Error(`${path} was not asked for:\n${exchanges.map(({ path }) => path).join("\n")}`);
      return found();
    },
  };
}

function asExchange({ headers, method, url }) {
  const { cookie = "" } = headers;
  if (cookie) sensitiveCookies(cookie);
  const said = ["fetch-mode", "fetch-dest", "fetch-site", "purpose"].map((name) => headers[`sec-${name}`]);
  return {
    host: (headers[":authority"] ?? headers.host).replace(/:\d+$/, ""),
    path: url,
    method,
    cookie,
    said: said.filter(Boolean).join(" "),
  };
}

function forward(port, { request, response, exchange }) {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(":")));
  const told = { ...headers, host: request.headers[":authority"] ?? headers.host, "x-forwarded-proto": "https" };
  const options = { port, host: "127.0.0.1", method: request.method, path: request.url, agent: false };
  const onward = http.request({ ...options, headers: { ...told, "test-scheme": "https" } }, (reply) => {
    exchange.status = reply.statusCode;
    exchange.setCookies = reply.headers["set-cookie"] ?? [];
    for (const cookie of exchange.setCookies) sensitive(cookie.slice(cookie.indexOf("=") + 1).split(";")[0]);
    for (const name of OF_ONE_CONNECTION) delete reply.headers[name];
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  onward.on("error", () => response.stream?.destroy() ?? response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

function page(site, { response, exchange }) {
  const body = site?.(exchange.path);
  Object.assign(exchange, { status: body ? 200 : 404, setCookies: [] });
  response.writeHead(exchange.status, { "content-type": "text/html" });
  response.end(body);
}

function certificate(hosts) {
  const script = fileURLToPath(new URL("../origins/certificate.py", import.meta.url));
  return JSON.parse(execFileSync(interpreter("venv-e2e"), [path.resolve(script), ...hosts], { encoding: "utf8" }));
}

/** What Chromium knows a certificate by that it is to trust. */
function fingerprint(cert) {
  const key = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

const PATIENCE_MS = 30_000;
const OF_ONE_CONNECTION = ["connection", "keep-alive", "transfer-encoding", "upgrade"];
const NO_OTHER_HOST = "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";
