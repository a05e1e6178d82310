// Django's admin in a real Chromium: a login, forms and messages through two rotations, and a logout.
import assert from "node:assert/strict";
import test from "node:test";
import { django, pinned, SECRETS, SESSION, worker } from "./harness.mjs";
import { chromium } from "./harness/chromium.mjs";
import { drivenBrowser } from "./harness/devtools.mjs";
import { front } from "./harness/front.mjs";

const skip = chromium() ? false : "no chromium is installed";
const attributes = `${SESSION.attributes}; Secure`;
const MESSAGES = { name: "messages", format: "django-messages", attributes: "Path=/; HttpOnly; Secure; SameSite=Lax" };
const CASES = [
  {
    name: "sessions in signed cookies",
    engine: "signed_cookies",
    rule: { ...SESSION, attributes },
    isReplayable: true, // Django keeps no list of them
  },
  {
    name: "sessions in the database, wrapped",
    engine: "db",
    rule: { name: "sessionid", format: "sealed", origin: { format: "plain" }, max_age: 1209600, attributes },
    isReplayable: false,
    rings: 3, // one rotation, since what differs is the format
  },
];

/** The rings that two rotations deploy, and whether a visitor gets another cookie by the change. */
const ROTATIONS = [
  { current: "ORIGIN_KEY", fallbacks: ["OLD_KEY"], isUpgraded: false },
  { current: "OLD_KEY", fallbacks: ["ORIGIN_KEY"], isUpgraded: true },
  { current: "OLD_KEY", isUpgraded: false },
  { current: "OLD_KEY", fallbacks: ["NEW_KEY"], isUpgraded: false },
  { current: "NEW_KEY", fallbacks: ["OLD_KEY"], isUpgraded: true },
  { current: "NEW_KEY", isUpgraded: false },
];

for (const { name, engine, rule, isReplayable, rings } of CASES) {
  test(`nobody is asked to log in again, and a logout holds: ${name}`, { skip }, async (t) => {
    const version = ({ isUpgraded, ...keys }) => ({
      config: pinned({ keys: { ...keys, origin: "ORIGIN_KEY" }, cookies: [rule, MESSAGES] }),
      secrets: SECRETS,
    });
    const settings = { SESSION_ENGINE: `django.contrib.sessions.backends.${engine}` };
    const site = await django(t, { key: SECRETS.ORIGIN_KEY, script: "admin.py", settings });
    const edge = await worker(t, { origin: site, ...version({ current: "ORIGIN_KEY" }) });
    const hosts = await front(t, { "shop.example": edge, "bare.example": site });
    const browser = await drivenBrowser(t, hosts.flags);
    const shop = await admin(browser, hosts, "shop.example");

    await shop.logIn();
    for (const [at, ring] of ROTATIONS.slice(0, rings).entries()) {
      await shop.page.open(shop.url("/admin/auth/group/add/"));
      const before = await shop.cookie("sessionid");
      await edge.restart(version(ring));
      await shop.save(`group ${at}`);
      assertUpgraded(before, await shop.cookie("sessionid"), ring);
    }
    const asked = hosts.exchanges.filter(({ path }) => path.startsWith("/admin/login/")).map(({ method }) => method);
    assert.deepEqual(asked, ["GET", "POST"], "the login at the beginning alone");

    const copied = await shop.cookie("sessionid");
    await shop.logOut();
    await shop.seesNothingPrivateBack();
    assert.equal(await shop.isLetIn(copied), isReplayable);

    const bare = await admin(browser, hosts, "bare.example");
    await bare.logIn();
    const copiedThere = await bare.cookie("sessionid");
    await bare.logOut();
    assert.equal(await bare.isLetIn(copiedThere), isReplayable, "as without Countersign");
  });
}

function assertUpgraded(before, after, { isUpgraded }) {
  assert.equal(after.value !== before.value, isUpgraded, JSON.stringify(after.name));
  assert.ok(Math.abs(after.expires - before.expires) <= 2, `${before.expires} became ${after.expires}`);
  const rest = ({ value, size, expires, ...attributes }) => attributes;
  assert.deepEqual(rest(after), rest(before));
}

/** Somebody in the admin of a host, in a tab. */
async function admin(browser, hosts, host) {
  const page = await browser.page();
  const url = (path) => hosts.url(host, path);
  const self = {
    page,
    url,
    async cookie(name) {
      return (await browser.cookies()).find((cookie) => cookie.domain === host && cookie.name === name);
    },
    async logIn() {
      await page.open(url("/admin/"));
      await fill(page, { id_username: "ada", id_password: "engine" });
      await page.pressAndLoad("#login-form [type=submit]");
      assert.match(await page.text(), /Site administration/);
    },
    /** Saves what is in the form that is open; what the site says of it is shown once. */
    async save(name) {
      await fill(page, { id_name: name });
      await page.pressAndLoad("[name=_save]");
      const said = () => page.value('[...document.querySelectorAll(".messagelist li")].map((line) => line.innerText)');
      assert.deepEqual(await said(), [`The group “${name}” was added successfully.`]);
      await page.open(url("/admin/auth/group/?o=1"));
      assert.deepEqual(await said(), []);
      assert.equal(await self.cookie("messages"), undefined);
      assert.match(await page.text(), new RegExp(`\\t${name}\n`));
    },
    async logOut() {
      await page.pressAndLoad("#logout-form button");
      assert.match(await page.text(), /Logged out/);
      assert.equal(await self.cookie("sessionid"), undefined);
    },
    async seesNothingPrivateBack() {
      for (let i = 0; i < 2; i++) {
        const here = await page.value("location.href");
        await page.value("history.back()");
        await page.until(`location.href !== ${JSON.stringify(here)} && document.readyState === "complete"`);
        await page.reload();
        assert.match(await page.value("location.pathname"), /^\/admin\/login\/$/);
        assert.equal(await self.cookie("sessionid"), undefined);
      }
    },
    /** Whether somebody who has copied a cookie comes in with it. */
    async isLetIn({ name, value, path, secure, httpOnly, sameSite, expires }) {
      await browser.setCookie({ name, value, url: url("/"), path, secure, httpOnly, sameSite, expires });
      await page.open(url("/admin/"));
      return (await page.value("location.pathname")) === "/admin/";
    },
  };
  return self;
}

/** Writes into fields by their ids. */
const fill = (page, texts) =>
  page.value(`for (const [id, text] of Object.entries(${JSON.stringify(texts)})) document.getElementById(id).value = text`);
