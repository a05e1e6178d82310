// Names and attributes as a real Chromium keeps them: `__Host-` and `__Secure-`, SameSite, Partitioned. What is stored is
// the same before and after an upgrade but for the value, and a request that shows no cookie sets nothing over it.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import cookieParser from "cookie-parser";
import express from "express";
import { ago, django, pinned, SECRETS, SESSION, signer, worker } from "./harness.mjs";
import { chromium } from "./harness/chromium.mjs";
import { drivenBrowser } from "./harness/devtools.mjs";
import { front } from "./harness/front.mjs";

const skip = chromium() ? false : "no chromium is installed";
const OTHER = "other.example";
const HOUR_S = 3_600;

/** The cookies of the shop: what Express sets them with, and their rules. */
const COOKIES = {
  "__Host-strict": {
    set: { httpOnly: true, secure: true, sameSite: "strict" },
    rule: { attributes: "Path=/; HttpOnly; Secure; SameSite=Strict" },
  },
  "__Secure-wide": {
    set: { domain: "shop.example", path: "/app", secure: true, sameSite: "lax", maxAge: HOUR_S * 1000 },
    rule: { attributes: `Path=/app; Domain=shop.example; Secure; SameSite=Lax; Max-Age=${HOUR_S}` },
  },
  lax: {
    set: { httpOnly: true, sameSite: "lax", maxAge: HOUR_S * 1000 },
    rule: { attributes: `Path=/; HttpOnly; SameSite=Lax; Max-Age=${HOUR_S}` },
  },
  unspecified: { set: {}, rule: { attributes: "Path=/" } },
  "__Host-parted": {
    set: { httpOnly: true, secure: true, sameSite: "none", partitioned: true },
    rule: { attributes: "Path=/; HttpOnly; Secure; SameSite=None; Partitioned" },
  },
  "__Host-always": {
    set: { httpOnly: true, secure: true, sameSite: "none", partitioned: true },
    rule: { attributes: "Path=/; HttpOnly; Secure; SameSite=None; Partitioned", upgrade: "always" },
  },
};
const PARTED = ["__Host-always", "__Host-parted"];
/** Django's session at the bank: its settings and its rule. */
const BANK = { SESSION_COOKIE_NAME: "__Host-sessionid", SESSION_COOKIE_SECURE: true, SESSION_COOKIE_SAMESITE: "Strict" };
const BANK_SESSION = {
  ...SESSION,
  name: BANK.SESSION_COOKIE_NAME,
  attributes: "Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=1209600",
};
/** How long ago it was signed. */
const AGE_S = 1_000;
/** Seconds that a test may take between a login and an upgrade. */
const TOLERANCE_S = 20;

const visitor = skip ? {} : await visits({ after });

test("an upgrade changes nothing of what the browser stores but the value, and the sessions outlive the old key", { skip }, async () => {
  const { tab, edge, version, url } = visitor;
  const before = await visitor.loggedIn();
  assert.deepEqual([...before.keys()].sort(), Object.keys(COOKIES).sort());
  await visitor.promote();
  await tab.open(url("/app/page"));
  await visitor.areUpgraded(before, Object.keys(COOKIES));
  await edge.restart(version({ current: "NEW_KEY" }));
  await tab.open(url("/app/later"));
  const known = Object.fromEntries(Object.keys(COOKIES).map((name) => [name, "ada"]));
  assert.deepEqual(JSON.parse(await tab.text()), known);
});

test("SameSite=Lax: a form that another site posts neither shows it nor gets one, a link of it brings the upgrade", { skip }, async () => {
  const { tab, hosts, stored, url } = visitor;
  const before = await visitor.loggedIn();
  await visitor.promote();
  const submit = `document.body.appendChild(Object.assign(document.createElement("form"), { method: "post", action: ${JSON.stringify(url("/app/posted"))} })).submit()`;
  await visitor.fromOtherSite(submit);
  const posted = await hosts.answered("/app/posted");
  // Chromium sends a new cookie that says nothing of SameSite all the same, for two minutes
  assert.deepEqual([posted.said, names(posted.cookie)], ["navigate document cross-site", [...PARTED, "unspecified"]]);
  assert.deepEqual(posted.setCookies.map((one) => one.split("=")[0]), ["__Host-always"]);
  await visitor.areUpgraded(before, ["__Host-always"]);
  for (const [name, one] of await stored()) if (name !== "__Host-always") assert.deepEqual(one, before.get(name));

  await visitor.fromOtherSite(`location.href = ${JSON.stringify(url("/app/linked"))}`);
  const linked = await hosts.answered("/app/linked");
  const shown = Object.keys(COOKIES).filter((name) => name !== "__Host-strict").sort();
  assert.deepEqual([linked.said, names(linked.cookie)], ["navigate document cross-site", shown]);
  await visitor.areUpgraded(before, shown);
  assert.equal((await stored()).get("__Host-strict").value, before.get("__Host-strict").value);
  await tab.press('location.href = "/app/within"');
  await visitor.areUpgraded(before, ["__Host-strict"]);
});

test("SameSite=None; Partitioned: in a frame of another site's page each partition is upgraded by itself", { skip }, async () => {
  const { edge, hosts, stored, tab, url, version } = visitor;
  await visitor.loggedIn();
  await edge.restart(version({ current: "OLD_KEY" }));
  await visitor.framed("/login?framed");
  const before = await stored();
  const inFrame = (name) => `${name} in ${JSON.stringify({ topLevelSite: `https://${OTHER}`, hasCrossSiteAncestor: true })}`;
  for (const name of PARTED) assert.ok(before.has(inFrame(name)), [...before.keys()].join("\n"));

  await visitor.promote();
  await visitor.framed("/framed");
  const framed = await hosts.answered("/framed");
  assert.deepEqual([framed.said, names(framed.cookie)], ["navigate iframe cross-site", PARTED]);
  await visitor.areUpgraded(before, [inFrame("__Host-always")]);
  assert.deepEqual(framed.setCookies.length, 1);
  const linked = await hosts.answered("/linked-in-frame");
  assert.deepEqual([linked.said, linked.setCookies.length], ["navigate iframe same-origin", 1]);
  await visitor.areUpgraded(before, [inFrame("__Host-parted")]);

  const others = [...(await stored())].filter(([key]) => !key.includes(" in "));
  assert.deepEqual(others, [...before].filter(([key]) => !key.includes(" in ")));
  await tab.open(url("/app/first-party"));
  await visitor.areUpgraded(before, Object.keys(COOKIES));
});

test("SameSite=Strict: who comes by a link of another site is not logged out, and the lifetime goes on as it was", { skip }, async () => {
  const { browser, hosts, sign, stored, tab } = visitor;
  const name = BANK_SESSION.name;
  const url = (path) => hosts.url("bank.example", path);
  const value = await sign.session("OLD_KEY", { data: { user: "ada" }, at: ago(AGE_S) });
  const expires = Math.floor(Date.now() / 1000) + SESSION.max_age - AGE_S;
  await browser.clearCookies();
  const sourcePort = Number(new URL(url("/")).port);
  await browser.setCookie({ name, value, expires, url: url("/"), sourcePort, path: "/", secure: true, httpOnly: true, sameSite: "Strict" });
  const before = await stored();

  await visitor.fromOtherSite(`location.href = ${JSON.stringify(url("/?arrived"))}`);
  const arrived = await hosts.answered("/?arrived");
  assert.deepEqual([arrived.said, arrived.cookie, arrived.setCookies], ["navigate document cross-site", "", []]);
  assert.deepEqual(await stored(), before);

  await tab.until('document.readyState === "complete" && location.search === "?arrived"');
  assert.deepEqual(JSON.parse(await tab.text()).session, {});
  await tab.press('location.href = "/?within"');
  await visitor.areUpgraded(before, [name]);
  await tab.until('document.readyState === "complete" && location.search === "?within"');
  assert.deepEqual(JSON.parse(await tab.text()).session, { user: "ada" });
});

/** The names in a Cookie header, sorted. */
const names = (cookie) => cookie.split("; ").map((pair) => pair.split("=")[0]).sort();

/** A browser, a shop of Express and a bank of Django. */
async function visits(t) {
  const sign = await signer(t);
  const cookies = Object.entries(COOKIES).map(([name, { rule }]) => ({ name, format: "express", ...rule }));
  const version = (keys) => ({ config: pinned({ keys: { ...keys, origin: "ORIGIN_KEY" }, cookies }), secrets: SECRETS });
  const edge = await worker(t, { origin: await shop(t), ...version({ current: "OLD_KEY" }) });
  const bank = await worker(t, {
    origin: await django(t, { key: SECRETS.ORIGIN_KEY, settings: BANK }),
    config: pinned({ cookies: [BANK_SESSION] }),
    secrets: SECRETS,
  });
  const hosts = await front(t, { "shop.example": edge, "bank.example": bank, [OTHER]: () => "<!doctype html><link rel=icon href=data:,><body>" });
  const browser = await drivenBrowser(t, hosts.flags);
  const tab = await browser.page();
  const url = (path) => hosts.url("shop.example", path);

  const self = {
    browser,
    edge,
    hosts,
    sign,
    tab,
    url,
    version,
    /** What the browser holds, by name and partition. */
    async stored() {
      const all = await browser.cookies();
      return new Map(all.map((one) => [one.partitionKey ? `${one.name}${partition(one)}` : one.name, one]));
    },
    /** Logs in anew, before a rotation. */
    async loggedIn() {
      await browser.clearCookies();
      await edge.restart(version({ current: "OLD_KEY" }));
      await tab.open(url("/login"));
      return self.stored();
    },
    promote: () => edge.restart(version({ current: "NEW_KEY", fallbacks: ["OLD_KEY"] })),
    async fromOtherSite(script) {
      await tab.open(hosts.url(OTHER));
      await tab.press(script);
    },
    /** Shows a page of the shop in a frame of another site's page, until it is loaded. */
    async framed(path) {
      await tab.open(hosts.url(OTHER));
      await tab.value(`new Promise((onload) => document.body.append(
        Object.assign(document.createElement("iframe"), { onload, src: ${JSON.stringify(url(path))} }))).then(() => true)`);
    },
    /** Waits until these have other values than `before`, and nothing else of them has changed. */
    async areUpgraded(before, keys) {
      let now;
      const left = () => keys.filter((key) => now.get(key)?.value === before.get(key).value);
      for (const end = Date.now() + 10_000; (now = await self.stored()), left().length > 0; await setTimeout(10))
        if (Date.now() > end) throw new Error(`not upgraded: ${left().join(", ")}`);
      assert.deepEqual([...now.keys()].sort(), [...before.keys()].sort());
      for (const key of keys) assertOnlyValueDiffers(before.get(key), now.get(key));
    },
  };
  return self;
}

/** The partition as a part of a key; first-party pages of the shop are one that needs no name. */
const partition = ({ partitionKey }) =>
  partitionKey.topLevelSite === "https://shop.example" ? "" : ` in ${JSON.stringify(partitionKey)}`;

function assertOnlyValueDiffers(before, after) {
  const rest = ({ value, size, expires, ...attributes }) => attributes;
  assert.deepEqual(rest(after), rest(before));
  // a format that signs no time starts the lifetime anew, which is as much later as this takes
  const isSame = before.expires === -1 ? after.expires === -1 : Math.abs(after.expires - before.expires) <= TOLERANCE_S;
  assert.ok(isSame, `${before.name}: ${before.expires} became ${after.expires}`);
}

async function shop(t) {
  const site = express();
  site.use(cookieParser(SECRETS.ORIGIN_KEY));
  site.get("/login", (_, response) => {
    for (const [name, { set }] of Object.entries(COOKIES)) response.cookie(name, "ada", { signed: true, ...set });
    response.send("logged in");
  });
  site.get("/framed", (_, response) => response.send('<!doctype html><script>location.href = "/linked-in-frame"</script>'));
  site.use((request, response) => response.json(request.signedCookies));
  const server = await new Promise((resolve) => {
    const server = site.listen(0, "127.0.0.1", () => resolve(server));
  });
  t.after(() => (server.closeAllConnections(), server.close()));
  return { port: server.address().port };
}
