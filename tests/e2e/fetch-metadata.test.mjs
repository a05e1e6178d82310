// What a real Chromium says of its requests (the Fetch metadata headers), and which of them bring an upgrade (rule S5):
// page loads with and without a service worker, frames, and pages that are fetched ahead.
import assert from "node:assert/strict";
import http from "node:http";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { answer, pinned, rawOrigin, SECRETS, send, signer, worker } from "./harness.mjs";
import { chromium, openPage } from "./harness/chromium.mjs";

const skip = chromium() ? false : "no chromium is installed";

/** What each kind of request says of itself, and whether it brings an upgrade. The site of what a rule fetches ahead is left open. */
const REQUESTS = {
  "/opened": { mode: "navigate", dest: "document", site: "none", isUpgraded: true },
  "/linked": { mode: "navigate", dest: "document", site: "same-origin", isUpgraded: true },
  "/through-service-worker": { mode: "navigate", dest: "empty", site: "same-origin", isUpgraded: true },
  "/same-origin-frame": { mode: "navigate", dest: "iframe", site: "same-origin", isUpgraded: true },
  "/cross-site-frame": { mode: "navigate", dest: "iframe", site: "cross-site", isUpgraded: false },
  "/script": { mode: "cors", dest: "empty", site: "same-origin", isUpgraded: false },
  "/image": { mode: "no-cors", dest: "image", site: "same-origin", isUpgraded: false },
  "/prefetch-link": { mode: "no-cors", dest: "empty", site: "same-origin", purpose: "prefetch", isUpgraded: false },
  "/prefetch-rule": { mode: "navigate", dest: "document", purpose: "prefetch", isUpgraded: false },
  "/prerender-rule": { mode: "navigate", dest: "document", purpose: "prefetch;prerender", isUpgraded: false },
};

/** What the pages do, one after the other; `seen` waits until a request has come. */
const STEPS = {
  "/opened": 'location.href = "/linked";',
  "/linked": `
    await fetch("/script");
    add("img", { src: "/image" });
    add("iframe", { src: "/same-origin-frame" });
    add("iframe", { src: location.origin.replace("localhost", "127.0.0.1") + "/cross-site-frame" });
    add("link", { rel: "prefetch", href: "/prefetch-link" });
    addRule("prefetch", "/prefetch-rule");
    await seen("/prefetch-rule");
    addRule("prerender", "/prerender-rule");
    for (const path of ["/image", "/same-origin-frame", "/cross-site-frame", "/prefetch-link", "/prerender-rule"])
      await seen(path);
    await navigator.serviceWorker.register("/service-worker.js");
    await navigator.serviceWorker.ready;
    location.href = "/through-service-worker";`,
};

const HELPERS = `
  const add = (kind, properties) => document.body.append(Object.assign(document.createElement(kind), properties));
  const seen = (path) => fetch("/test/seen" + path);
  const addRule = (what, url) => {
    const textContent = JSON.stringify({ [what]: [{ source: "list", urls: [url], eagerness: "immediate" }] });
    add("script", { type: "speculationrules", textContent });
  };`;

const page = (path) => `<!doctype html><title>${path}</title><body><script type="module">${HELPERS}${STEPS[path] ?? ""}</script>`;

const SERVICE_WORKER = "onfetch = (event) => event.respondWith(fetch(event.request));";

/** A browser's requests, each shown to the edge with a cookie under an old key, and what came of each by path. */
async function browsing(t, { edge, cookie }) {
  const requests = new Map();
  const until = async (path) => {
    for (const end = Date.now() + PATIENCE; !requests.has(path) && Date.now() < end;) await setTimeout(10);
  };
  const respond = async ({ method, url, headers, rawHeaders }, response) => {
    if (url === "/service-worker.js") return response.setHeader("content-type", "text/javascript").end(SERVICE_WORKER);
    if (url.startsWith("/test/seen")) return response.end(String(await until(url.slice("/test/seen".length))));
    const lines = [];
    for (let at = 0; at < rawHeaders.length; at += 2)
      if (!/^(host|connection|cookie)$/i.test(rawHeaders[at])) lines.push([rawHeaders[at], rawHeaders[at + 1]]);
    const reply = await send(edge.port, { method, path: url, headers: lines, cookie });
    const [mode, dest, site] = ["mode", "dest", "site"].map((name) => headers[`sec-fetch-${name}`]);
    const purpose = headers["sec-purpose"];
    requests.set(url, { mode, dest, site, ...(purpose && { purpose }), isUpgraded: reply.setCookies.length > 0 });
    response.setHeader("content-type", "text/html").end(reply.body);
  };
  const server = http.createServer((request, response) => void respond(request, response).catch(() => response.destroy()));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { url: `http://localhost:${server.address().port}`, requests, until };
}

test("a page that a real Chromium opens is upgraded, through a service worker too, and nothing else is", { skip }, async (t) => {
  const sign = await signer(t);
  const cookie = `sessionid=${await sign.session("OLD_KEY")}`;
  const origin = await rawOrigin(t, ({ path }) => answer("200 OK", ["Content-Type: text/html"], page(path)));
  const edge = await worker(t, { config: pinned(), secrets: SECRETS, origin });
  const { url, requests, until } = await browsing(t, { edge, cookie });
  const browser = openPage(t, `${url}/opened`);
  await until("/through-service-worker");
  for (const [path, expected] of Object.entries(REQUESTS)) {
    const found = requests.get(path);
    assert.ok(found, `${path} was not asked for:\n${browser.said()}`);
    const { site = found.site } = expected;
    assert.deepEqual([path, found], [path, { ...expected, site }]);
  }
});

const PATIENCE = 60_000;
