// Two applications of one host with one cookie name under two paths: each has a Worker, and a route, of its own.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { browser, django, parseSetCookie, pinned, SECRETS, SESSION, signer, worker } from "./harness.mjs";
import { zone } from "./harness/routes.mjs";

const sign = await signer({ after });

const ATTRIBUTES = (path) => `Path=${path}; HttpOnly; SameSite=Lax; Max-Age=1209600`;
const KEYS = {
  shop: { current: "NEW_KEY", fallbacks: [], origin: "SHOP_KEY" },
  admin: { current: "OLD_KEY", fallbacks: [], origin: "ADMIN_KEY" },
};
const ALL_SECRETS = {
  ...SECRETS,
  SHOP_KEY: "django-insecure-key-of-the-shop-71c0e5",
  ADMIN_KEY: "django-insecure-key-of-the-admin-b2d94f",
};

/** The version of one application's Worker. */
const version = (path, keys) => ({
  config: pinned({ keys, cookies: [{ ...SESSION, attributes: ATTRIBUTES(path) }] }),
  secrets: ALL_SECRETS,
});

/** One application below a path: `{site, edge, keys}`. */
async function application(t, name, settings = {}) {
  const [path, keys] = [`/${name}`, KEYS[name]];
  const key = ALL_SECRETS[keys.origin];
  const site = await django(t, { key, prefix: `${name}/`, settings: { SESSION_COOKIE_PATH: path, ...settings } });
  const edge = await worker(t, { ...version(path, keys), origin: site });
  return { name, path, keys, site, edge };
}

/** A visitor of one host, on which each application has its routes. */
async function host(t, ...applications) {
  const routes = applications.flatMap(({ path, edge }) => [path, `${path}/*`].map((pattern) => [pattern, edge]));
  const visitor = browser(await zone(t, routes));
  return {
    visitor,
    /** The sessions in the visitor's jar by path. */
    sessions: () => Object.fromEntries(visitor.jar.map((cookie) => [cookie.path, cookie.value])),
    login: ({ path }, item) => visitor.go(`${path}/login?item=${item}`),
    /** What an application knows of the visitor, and the Cookie header that it was shown. */
    page: async ({ path }) => (await visitor.go(`${path}/`)).json(),
  };
}

const verdictsOf = async (edge) => (await edge.reports()).flatMap(({ verdicts }) => verdicts.map(({ verdict }) => verdict));

test("each application gets its own cookie, under its own key, and nothing of the other's", async (t) => {
  const [shop, admin] = await Promise.all([application(t, "shop"), application(t, "admin")]);
  const { visitor, sessions, login, page } = await host(t, shop, admin);
  await login(shop, "tea");
  await login(admin, "ledger");
  assert.deepEqual(Object.keys(sessions()).sort(), ["/admin", "/shop"]);
  assert.deepEqual(
    visitor.jar.map(({ name }) => name),
    ["sessionid", "sessionid"],
  );
  for (const [app, item] of [
    [shop, "tea"],
    [admin, "ledger"],
  ]) {
    await sign.ask("read_session", { key: ALL_SECRETS[app.keys.current], value: sessions()[app.path] });
    const { user, session, header } = await page(app);
    assert.deepEqual([user, session.basket], ["ada", [item]]);
    const [, shown, ...others] = header.split(/(?:^|; )sessionid=/);
    assert.deepEqual(others, []);
    await sign.ask("read_session", { key: ALL_SECRETS[app.keys.origin], value: shown });
    assert.deepEqual([...new Set(await verdictsOf(app.edge))].sort(), ["current", "sealed"]);
  }
});

test("a rotation of one leaves the other alone, its cookies and its Worker", async (t) => {
  const [shop, admin] = await Promise.all([application(t, "shop"), application(t, "admin")]);
  const { visitor, sessions, login, page } = await host(t, shop, admin);
  await login(shop, "tea");
  await login(admin, "ledger");
  const before = sessions();

  await shop.edge.restart(version("/shop", { ...shop.keys, current: "RETIRED_KEY", fallbacks: ["NEW_KEY"] }));
  const moved = await visitor.go("/shop/");
  assert.equal(moved.json().user, "ada");
  assert.deepEqual(moved.setCookies.map(parseSetCookie).map(({ name, path }) => [name, path]), [["sessionid", "/shop"]]);
  assert.equal((await page(admin)).user, "ada");
  const after = sessions();
  assert.deepEqual(Object.keys(after).sort(), ["/admin", "/shop"]);
  assert.notEqual(after["/shop"], before["/shop"]);
  assert.equal(after["/admin"], before["/admin"]);

  // the old key is worthless at the shop from now on, and at the admin it never was worth anything
  await shop.edge.restart(version("/shop", { ...shop.keys, current: "RETIRED_KEY" }));
  assert.equal((await page(shop)).user, "ada");
  visitor.set(`sessionid=${before["/shop"]}; Path=/shop`);
  assert.equal((await page(shop)).user, "");
  assert.equal((await page(admin)).user, "ada");
  assert.ok(!(await verdictsOf(admin.edge)).some((verdict) => !["current", "sealed"].includes(verdict)));
});

test("a cookie of Path=/ reaches both: the other application's Worker drops it, and keeps its own beside it", async (t) => {
  const everywhere = { SESSION_COOKIE_PATH: "/" };
  const [shop, admin] = await Promise.all([application(t, "shop"), application(t, "admin", everywhere)]);
  const { sessions, login, page } = await host(t, shop, admin);
  await login(admin, "ledger");
  assert.deepEqual(Object.keys(sessions()), ["/"]);
  const alone = await page(shop);
  assert.deepEqual([alone.user, alone.cookies.sessionid], ["", undefined]);
  await login(shop, "tea");
  const both = await page(shop);
  assert.deepEqual([both.user, both.session.basket, both.header.split("sessionid=").length], ["ada", ["tea"], 2]);
  assert.equal((await page(admin)).user, "ada");
  assert.ok((await verdictsOf(shop.edge)).includes("bad-signature"));
  assert.ok((await verdictsOf(shop.edge)).includes("duplicate-dropped"));
});
