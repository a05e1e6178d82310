// All the ways in which a real Chromium asks for a page or a part of one, in front of Express: what it says of each
// request (the Fetch metadata headers, on which rule S5 rests), which of them bring an upgrade, and that sessions live.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { pinned, SECRETS, worker } from "./harness.mjs";
import { chromium } from "./harness/chromium.mjs";
import { drivenBrowser } from "./harness/devtools.mjs";
import { front } from "./harness/front.mjs";
import { page, shop } from "./harness/shop.mjs";

const skip = chromium() ? false : "no chromium is installed";
const SHOP = "shop.example";
const OTHER = "other.example";
const NAME = "connect.sid";
const RULE = { name: NAME, format: "express", attributes: "Path=/; HttpOnly; Secure; SameSite=None" };

// ---- the ways

/** Scripts that ask for a path of the shop from the page that is open. */
const LINK = 'add("a", { href: url }).click()';
const RELOAD = "location.reload()";
const POST = 'add("form", { action: url, method: "post" }).submit()';
const FRAME = 'add("iframe", { src: url })';
const OBJECT = 'add("object", { data: url, type: "text/html" })';
const FETCH = "fetch(url)";
const PREFETCH_LINK = 'add("link", { rel: "prefetch", href: url })';
const PREFETCH = 'fetchAhead("prefetch", url)';
const PRERENDER = 'fetchAhead("prerender", url)';
/** Not by a page: by the visitor, in the field for addresses. */
const TYPED = null;

/** From a page of the shop: `[path, script, what Chromium says of the request, whether it brings an upgrade]`. */
const WITHOUT_SERVICE_WORKER = [
  ["/prerendered", PRERENDER, /^navigate document \S+ prefetch;prerender$/, false],
  ["/prefetched", PREFETCH, /^navigate document \S+ prefetch$/, false],
  ["/prefetched-by-link", PREFETCH_LINK, "no-cors empty same-origin prefetch", false],
  ["/typed", TYPED, "navigate document none", true],
  ["/linked", LINK, "navigate document same-origin", true],
  ["/linked", RELOAD, "navigate document same-origin", false], // Express answers 304
  ["/form?", 'add("form", { action: url }).submit()', "navigate document same-origin", true],
  ["/posted", POST, "navigate document same-origin", false],
  ["/redirected", LINK, "navigate document same-origin", true],
  ["/download", 'add("a", { href: url, download: "file" }).click()', "navigate empty same-origin", true],
  ["/frame", FRAME, "navigate iframe same-origin", true],
  ["/object", OBJECT, "navigate object same-origin", false],
  ["/embed", 'add("embed", { src: url, type: "text/html" })', "navigate embed same-origin", false],
  ["/fetched", FETCH, "cors empty same-origin", false],
  ["/beacon", "navigator.sendBeacon(url, 1)", "no-cors empty same-origin", false],
  ["/image", 'add("img", { src: url })', "no-cors image same-origin", false],
  ["/style", 'add("link", { rel: "stylesheet", href: url })', "no-cors style same-origin", false],
  ["/script", 'add("script", { src: url })', "no-cors script same-origin", false],
  ["/worker", "new Worker(url)", "same-origin worker same-origin", false],
  ["/window", "open(url)", "navigate document same-origin", true],
];

const FROM_ANOTHER_SITE = [
  ["/arrived", LINK, "navigate document cross-site", true],
  ["/posted-from-there", POST, "navigate document cross-site", false],
];

/** The same by the folder whose service worker answers. */
const THROUGH_SERVICE_WORKER = {
  "/passes-on/": [
    ["/passes-on/prerendered", PRERENDER, "navigate empty same-origin prefetch;prerender", false],
    ["/passes-on/prefetched", PREFETCH, "navigate empty same-origin prefetch", false],
    ["/passes-on/prefetched-by-link", PREFETCH_LINK, "no-cors empty same-origin prefetch", false],
    ["/passes-on/typed", TYPED, "navigate empty same-origin", true],
    ["/passes-on/linked", LINK, "navigate empty same-origin", true],
    ["/passes-on/posted", POST, "navigate empty same-origin", false],
    ["/passes-on/frame", FRAME, "navigate empty same-origin", true],
    ["/passes-on/object", OBJECT, "navigate object same-origin", false], // which no service worker hears of
    ["/passes-on/fetched", FETCH, "cors empty same-origin", false],
  ],
  "/preloads/": [
    ["/preloads/prerendered", PRERENDER, /^navigate document \S+ prefetch;prerender$/, false],
    ["/preloads/prefetched", PREFETCH, /^navigate document \S+ prefetch$/, false],
    ["/preloads/typed", TYPED, "navigate document none", true],
    ["/preloads/linked", LINK, "navigate document same-origin", true],
    ["/preloads/posted", POST, "navigate empty same-origin", false],
    ["/preloads/frame", FRAME, "navigate iframe same-origin", true],
  ],
  "/asks-anew/": [
    ["/asks-anew/prerendered", PRERENDER, "cors empty same-origin", false],
    ["/asks-anew/prefetched", PREFETCH, "cors empty same-origin", false],
    ["/asks-anew/typed", TYPED, "cors empty same-origin", false],
    ["/asks-anew/linked", LINK, "cors empty same-origin", false],
    ["/asks-anew/frame", FRAME, "cors empty same-origin", false],
  ],
  "/copies/": [
    ["/copies/prerendered", PRERENDER, "same-origin empty same-origin", false],
    ["/copies/prefetched", PREFETCH, "same-origin empty same-origin", false],
    ["/copies/typed", TYPED, "same-origin empty same-origin", false],
    ["/copies/linked", LINK, "same-origin empty same-origin", false],
    ["/copies/posted", POST, "same-origin empty same-origin", false],
    ["/copies/frame", FRAME, "same-origin empty same-origin", false],
  ],
};

/** Once the visitor has been to the folders, their service workers answer those who come from elsewhere too. */
const FROM_ANOTHER_SITE_THROUGH_SERVICE_WORKER = [
  ["/passes-on/arrived", LINK, "navigate empty cross-site", false],
  ["/preloads/arrived", LINK, "navigate document cross-site", true],
  ["/asks-anew/arrived", LINK, "cors empty same-origin", false],
  ["/copies/arrived", LINK, "same-origin empty same-origin", false],
];

// ---- the tests

const visit = skip ? {} : await visitor({ after });

test("an upgrade comes with the pages that a visitor opens, and with nothing else that Chromium asks for", { skip }, async () => {
  await visit.each("/", WITHOUT_SERVICE_WORKER);
  await visit.eachFromAnotherSite(FROM_ANOTHER_SITE);
  for (const [folder, ways] of Object.entries(THROUGH_SERVICE_WORKER)) {
    await visit.tab.open(visit.url(`${folder}start`));
    await visit.tab.value(`serve(${JSON.stringify(folder)})`);
    await visit.each(folder, ways);
  }
  await visit.eachFromAnotherSite(FROM_ANOTHER_SITE_THROUGH_SERVICE_WORKER);
});

test("of 40 requests beside a frame the frame alone brings an upgrade, and all know the session", { skip }, async () => {
  const { hold, hosts, isUpgraded, tab, url, users } = visit;
  await tab.open(url("/start"));
  await hold();
  const before = hosts.exchanges.length;
  await tab.value(`Promise.all([
    ...Array.from({ length: 40 }, (_, i) => fetch("/part-" + i).then((answer) => answer.text())),
    new Promise((done) => (add("iframe", { src: "/frame-beside" }).onload = done)),
  ]).then(() => true)`);
  await isUpgraded();
  const asked = hosts.exchanges.slice(before);
  assert.equal(asked.length, 41);
  for (const { path } of asked) assert.equal(users.get(path), "ada", path);
  assert.deepEqual(asked.filter(({ setCookies }) => setCookies.length).map(({ path }) => path), ["/frame-beside"]);
  await tab.value('fetch("/after").then(() => true)');
  assert.equal(users.get("/after"), "ada");
});

test("back and forward: a page that was kept asks for nothing, one that is asked for anew brings an upgrade", { skip }, async () => {
  const { hold, hosts, isUpgraded, held, tab, url, users } = visit;
  const count = (path) => hosts.exchanges.filter((exchange) => exchange.path === path).length;
  await tab.open(url("/kept"));
  await hold();
  await tab.open(url("/next"));
  await isUpgraded();
  const upgraded = (await held()).value;
  await tab.travel(-1, url("/kept"));
  assert.deepEqual([await tab.value("isRestored"), count("/kept")], [true, 1]);
  await tab.value('fetch("/of-the-restored-page").then(() => true)');
  assert.ok(hosts.exchanges.at(-1).cookie.includes(upgraded), "it shows the upgraded cookie");
  assert.equal(users.get("/of-the-restored-page"), "ada");
  await tab.travel(1, url("/next"));
  assert.deepEqual([await tab.value("isRestored"), count("/next")], [true, 1]);

  await tab.open(url("/not-kept"));
  await tab.value("void (onunload = () => {})");
  await tab.open(url("/next"));
  await hold();
  await tab.travel(-1, url("/not-kept"));
  await isUpgraded();
  assert.deepEqual([await tab.value("isRestored"), count("/not-kept")], [false, 2]);
  assert.match(hosts.exchanges.at(-1).said, /^navigate document \S+$/);
});

test("a page that was rendered ahead is shown without a request, and its next page brings the upgrade", { skip }, async () => {
  const { browser, events, hold, hosts, isUpgraded, url, users } = visit;
  await browser.leave(url("/renders-ahead"));
  await isUpgraded();
  await hold();
  events.add("cookie-is-old");
  const last = await hosts.answered("/behind");
  await isUpgraded();
  const [ahead, ...again] = hosts.exchanges.filter(({ path }) => path === "/ahead");
  assert.match(ahead.said, /prefetch;prerender$/);
  assert.deepEqual([ahead.setCookies, again], [[], []]);
  assert.deepEqual([last.said, last.setCookies.length], ["navigate document same-origin", 1]);
  assert.deepEqual(["/ahead", "/shown", "/behind"].map((path) => users.get(path)), ["ada", "ada", "ada"]);
});

test("a frame in a page of another site: upgraded by a link within it alone, and once a service worker passes it on", { skip }, async () => {
  const { browser, hold, hosts, old, tab, url, users } = visit;
  const partitionKey = { topLevelSite: `https://${OTHER}`, hasCrossSiteAncestor: true };
  const frame = async (path) => {
    await browser.clearCookies();
    await hold({ partitionKey });
    await tab.open(hosts.url(OTHER, "/framing"));
    await tab.press(`add("iframe", { src: ${JSON.stringify(url(path))} })`);
  };
  await frame("/framed/by-another-site");
  const framed = await hosts.answered("/framed/by-another-site");
  const linked = await hosts.answered("/linked-in-frame");
  await frame("/passes-on/framed");
  await hosts.answered("/passes-on/is-served");
  await frame("/passes-on/framed-again");
  const passedOn = await hosts.answered("/passes-on/framed-again");
  for (const { path, cookie } of [framed, linked, passedOn]) {
    assert.ok(cookie.includes(old), `${path}: ${cookie}`);
    assert.equal(users.get(path), "ada", path);
  }
  const cameOf = ({ said, setCookies }) => [said, setCookies.length];
  assert.deepEqual(cameOf(framed), ["navigate iframe cross-site", 0]);
  assert.deepEqual(cameOf(linked), ["navigate iframe same-origin", 1]);
  // which nothing tells from a page that is opened by a link of another site
  assert.deepEqual(cameOf(passedOn), ["navigate empty cross-site", 0]);
});

// ---- the visitor

/** A visitor who has logged in before a rotation. `hold` makes the browser hold the cookie of then again. */
async function visitor(t) {
  const { site, users, events } = await shop(t, SECRETS.ORIGIN_KEY);
  const version = (keys) => ({ config: pinned({ keys: { ...keys, origin: "ORIGIN_KEY" }, cookies: [RULE] }), secrets: SECRETS });
  const edge = await worker(t, { origin: site, ...version({ current: "OLD_KEY" }) });
  const hosts = await front(t, { [SHOP]: edge, [OTHER]: (path) => page(path) });
  const browser = await drivenBrowser(t, hosts.flags);
  const tab = await browser.page();
  const url = (path) => hosts.url(SHOP, path);
  const held = async () => (await browser.cookies()).find(({ name }) => name === NAME);
  await tab.open(url("/login"));
  const { value: old, secure, httpOnly, sameSite, path } = await held();
  await edge.restart(version({ current: "NEW_KEY", fallbacks: ["OLD_KEY"] }));

  const self = {
    browser,
    hosts,
    old,
    tab,
    url,
    /** Who was logged in at the site, by path. */
    users,
    events,
    held,
    hold: (more = {}) => browser.setCookie({ name: NAME, value: old, url: url("/"), secure, httpOnly, sameSite, path, ...more }),
    /** Waits until the browser has another cookie. */
    isUpgraded: async () => {
      for (const end = Date.now() + 10_000; (await held()).value === old; await setTimeout(10))
        if (Date.now() > end) throw new Error("the browser still has the old cookie");
    },
    async each(folder, ways) {
      for (const way of ways) await once(url(folder), way);
    },
    async eachFromAnotherSite(ways) {
      for (const way of ways) await once(hosts.url(OTHER, `/before${way[0]}`), way);
    },
  };

  async function once(start, [path, script, expected, isUpgraded]) {
    if (!(await tab.value("location.href")).startsWith(start)) await tab.open(`${start}start`);
    await self.hold();
    const before = hosts.exchanges.length;
    if (script) await tab.press(`((url) => ${script})(${JSON.stringify(url(path))})`);
    else await tab.open(url(path));
    const { said, setCookies } = await hosts.answered(path, before);
    if (typeof expected === "string") assert.deepEqual([path, said], [path, expected]);
    else assert.match(said, expected, path);
    assert.equal(users.get(path.replace("?", "")), "ada", path);
    assert.deepEqual([path, setCookies.length], [path, isUpgraded ? 1 : 0]);
    if (isUpgraded) await self.isUpgraded();
    else assert.equal((await held()).value, old, path);
    if (OPENS.has(script)) await tab.until(`document.readyState === "complete" && location.href !== ${JSON.stringify(start)}`);
  }
  return self;
}

const OPENS = new Set([LINK, RELOAD, POST]);
