// Two tabs of a real Chromium in front of Django, of which one logs out while the other has a request under way: at the
// end the browser has no session, in each order of what is sent and answered.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { django, pinned, rawOrigin, SECRETS, SESSION, signer, worker } from "./harness.mjs";
import { chromium } from "./harness/chromium.mjs";
import { drivenBrowser } from "./harness/devtools.mjs";
import { front } from "./harness/front.mjs";
import { forwarded } from "./harness/tapped.mjs";

const skip = chromium() ? false : "no chromium is installed";
const NAME = SESSION.name;
const HOST = "shop.example";

const visitor = skip ? {} : await twoTabs({ after });

test("a page that is asked for after the logout's answer brings no session back", { skip }, async () => {
  const { one, other, url } = await visitor.loggedIn();
  await other.open(url("/logout"));
  await one.open(url("/?after"));
  await visitor.isLoggedOut(one);
});

test("a page that is answered, with an upgrade, before the logout is sent is logged out all the same", { skip }, async () => {
  const { one, other, url, hosts } = await visitor.loggedIn();
  await one.open(url("/?before"));
  assert.equal((await hosts.answered("/?before")).setCookies.length, 1);
  await other.open(url("/logout"));
  await visitor.isLoggedOut(one);
});

test("scripts' requests that the site answers after the logout bring no session back", { skip }, async () => {
  const { one, other, url, hosts, site } = await visitor.loggedIn();
  const release = site.hold("/?script=");
  await one.press(`Promise.all([1, 2, 3].map((number) => fetch("/?script=" + number))).then(() => (window.isDone = true))`);
  await site.isHolding(3);
  await other.open(url("/logout"));
  release();
  await one.until("window.isDone");
  for (const number of [1, 2, 3]) assert.deepEqual((await hosts.answered(`/?script=${number}`)).setCookies, []);
  await visitor.isLoggedOut(one);
});

test("a page that the site answers after the logout, and late, brings no session back", { skip }, async () => {
  const { one, other, url, hosts, site } = await visitor.loggedIn();
  const release = site.hold("/?late");
  await one.press('location.href = "/?late"');
  await site.isHolding(1);
  await other.open(url("/logout"));
  await setTimeout(2_100); // beyond what S5 allows an answer with an upgrade
  release();
  await one.until('location.search === "?late" && document.readyState === "complete"');
  assert.deepEqual((await hosts.answered("/?late")).setCookies, []);
  await visitor.isLoggedOut(one);
});

test("a logout that the site answers after an upgrade holds, although it was sent before", { skip }, async () => {
  const { one, other, url, hosts, site } = await visitor.loggedIn();
  const release = site.hold("/logout");
  await other.press('location.href = "/logout"');
  await site.isHolding(1);
  await one.open(url("/?meanwhile"));
  assert.equal((await hosts.answered("/?meanwhile")).setCookies.length, 1);
  release();
  await other.until('location.pathname === "/logout" && document.readyState === "complete"');
  await visitor.isLoggedOut(one);
});

test("a page that the site answers after the logout, within 2 s, brings no session back", { skip }, async () => {
  const { one, other, url, site } = await visitor.loggedIn();
  const release = site.hold("/?race");
  await one.press('location.href = "/?race"');
  await site.isHolding(1);
  await other.open(url("/logout"));
  release();
  await one.until('location.search === "?race" && document.readyState === "complete"');
  await visitor.isLoggedOut(one);
});

/** A browser with two tabs that has logged in before a rotation, and the site, whose answers a test may hold back. */
async function twoTabs(t) {
  const sign = await signer(t);
  const rule = { ...SESSION, attributes: `${SESSION.attributes}; Secure` };
  const behind = await django(t, { key: SECRETS.ORIGIN_KEY, settings: { SESSION_COOKIE_SECURE: true } });
  const site = await heldBack(t, behind);
  const edge = await worker(t, { origin: site, config: pinned({ cookies: [rule] }), secrets: SECRETS });
  const hosts = await front(t, { [HOST]: edge });
  const browser = await drivenBrowser(t, hosts.flags);
  const [one, other] = [await browser.page(), await browser.page()];
  const url = (path) => hosts.url(HOST, path);
  const held = async () => (await browser.cookies()).filter(({ name }) => name === NAME);
  let visits = 0;
  const user = async (tab) => JSON.parse(await tab.text()).user;

  return {
    /** Logged in with a cookie under the old key. */
    async loggedIn() {
      await browser.clearCookies();
      await one.go(url("/login"));
      await other.open(url("/?other"));
      await one.until('document.readyState === "complete" && document.body.innerText.includes("ada")');
      const [{ value, secure, httpOnly, sameSite, path, expires }] = await held();
      const { data } = await sign.readSession("NEW_KEY", value);
      // another session than the one that the test before has ended: its upgrades are withheld for a while
      const old = await sign.session("OLD_KEY", { data: { ...data, visit: (visits += 1) } });
      await browser.setCookie({ name: NAME, value: old, url: url("/"), secure, httpOnly, sameSite, path, expires });
      return { one, other, url, hosts, site };
    },
    async isLoggedOut(tab) {
      assert.deepEqual((await held()).map(({ path, domain }) => `${domain}${path}`), []);
      await tab.open(url("/?at-last"));
      assert.equal(await user(tab), "");
      assert.deepEqual(await held(), []);
    },
  };
}

/** A site whose answers to what begins with a path are held back, once given, until `hold(path)`'s function is called. */
async function heldBack(t, site) {
  let held = null;
  const origin = await rawOrigin(t, async (request) => {
    const answer = await forwarded(site, request);
    if (!held || !request.path.startsWith(held.path)) return answer;
    held.count += 1;
    await held.isReleased;
    return answer;
  });
  return Object.assign(origin, {
    hold(path) {
      const { promise: isReleased, resolve } = Promise.withResolvers();
      held = { path, isReleased, count: 0 };
      return resolve;
    },
    /** Waits until this many answers are held back. */
    async isHolding(count) {
      for (const end = Date.now() + 10_000; held.count < count; await setTimeout(5))
        if (Date.now() > end) throw new Error(`${held.count} answers to ${held.path} are held back, not ${count}`);
    },
  });
}
