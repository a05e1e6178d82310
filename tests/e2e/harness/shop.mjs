// A shop of Express with sessions for a real browser: its pages have scripts that ask for each other in many ways, and
// some of its folders have a service worker.
import { setTimeout } from "node:timers/promises";
import express from "express";
import session from "express-session";

/**
 * The shop, whose pages all look the same; `users` are who was logged in by path, and pages may wait for an
 * event: the test's, or that a path was asked for.
 */
export async function shop(t, secret) {
  const users = new Map();
  const events = new Set();
  const site = express();
  site.set("trust proxy", true);
  const cookie = { secure: true, sameSite: "none" };
  site.use(session({ secret, resave: false, saveUninitialized: false, cookie }));
  site.use((request, _, next) => {
    users.set(request.path, request.session.user);
    events.add(request.path.slice(1));
    next();
  });
  site.get("/login", (request, response) => {
    request.session.user = "ada";
    response.send(page(request.path));
  });
  site.get("/until/:event", async ({ params }, response) => {
    while (!events.has(params.event) && !response.destroyed) await setTimeout(10);
    response.end();
  });
  site.get("/:kind/worker.js", ({ params }, response) => response.type("js").send(SERVICE_WORKERS[params.kind]));
  site.get("/redirected", (_, response) => response.redirect("/landed"));
  site.use("/not-kept", (_, response, next) => next(void response.set("Cache-Control", "private, no-store")));
  site.use(({ path }, response) => response.send(page(path)));
  const server = await new Promise((resolve) => {
    const server = site.listen(0, "127.0.0.1", () => resolve(server));
  });
  t.after(() => (server.closeAllConnections(), server.close()));
  return { site: { port: server.address().port }, users, events };
}

/** The ways in which a service worker may answer a page load, by folder. */
const SERVICE_WORKERS = {
  "passes-on": "onfetch = (event) => event.respondWith(fetch(event.request));",
  preloads: `
    onactivate = (event) => event.waitUntil(registration.navigationPreload.enable());
    onfetch = (event) => event.respondWith((async () => (await event.preloadResponse) ?? fetch(event.request))());`,
  "asks-anew": "onfetch = (event) => event.respondWith(fetch(event.request.url));",
  copies: 'onfetch = (event) => event.respondWith(fetch(new Request(event.request, { headers: { "X-Copied": "1" } })));',
};

/** What some pages do by themselves. */
const DOES = {
  "/renders-ahead": `
    fetch("/until/cookie-is-old").then(() => fetchAhead("prerender", "/ahead"));
    fetch("/until/rendered-ahead").then(() => add("a", { href: "/ahead" }).click());`,
  "/ahead": `
    document.onprerenderingchange = () => fetch("/shown").then(() => add("a", { href: "/behind" }).click());
    if (document.prerendering) fetch("/rendered-ahead");`,
  "/window": "close()", // behind which the page would be hidden
  "/framed/by-another-site": 'location.href = "/linked-in-frame"',
  "/passes-on/framed": 'serve("/passes-on/").then(() => fetch("/passes-on/is-served"))',
};

/** Any page, with what its scripts call. */
export const page = (path) => `<!doctype html><title>${path}</title><link rel="icon" href="data:,"><body><script>
  const add = (kind, properties) => document.body.appendChild(Object.assign(document.createElement(kind), properties));
  const fetchAhead = (what, url) => add("script", {
    type: "speculationrules",
    textContent: JSON.stringify({ [what]: [{ source: "list", urls: [url], eagerness: "immediate" }] }),
  });
  /** Installs the service worker of a folder and waits until it answers. */
  async function serve(folder) {
    const { installing, waiting, active } = await navigator.serviceWorker.register(folder + "worker.js");
    const worker = installing ?? waiting ?? active;
    const isActive = () => worker.state === "activated";
    if (!isActive()) await new Promise((done) => (worker.onstatechange = () => isActive() && done()));
  }
  onpageshow = ({ persisted }) => (window.isRestored = persisted);
  ${DOES[path] ?? ""}
</script>`;
