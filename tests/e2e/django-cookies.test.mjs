// Django's other signed cookies, with the real Django at both ends: messages, set_signed_cookie of 5.2 (v2) and 4.2 (v1).
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ago, browser, django, pinned, SECRETS, send, signer, worker } from "./harness.mjs";

const sign = await signer({ after });
const sign42 = await signer({ after }, { venv: "venv-e2e-django42" });
const site = await django({ after }, { key: SECRETS.ORIGIN_KEY });
const site42 = await django({ after }, { key: SECRETS.ORIGIN_KEY, venv: "venv-e2e-django42" });

const MESSAGES = { name: "messages", format: "django-messages", attributes: "Path=/; HttpOnly; SameSite=Lax" };
const BASKET = { name: "basket", format: "django-signed-cookie", max_age: 1209600, attributes: "Path=/shop" };
const edgeOf = (t, cookies, origin = site, keys = pinned().keys) =>
  worker(t, { config: pinned({ cookies, keys }), secrets: SECRETS, origin });
const TRICKY = ["plain", "with spaces", 'quo"tes\\and back', "semi;colon, comma", "café ñ", "a:b:c", "=equals="];

test("the versions of Django are those that the tests speak of", () => {
  assert.match(site.version, /^5\.2\./);
  assert.equal(site42.version, "4.2.30");
});

test("messages said before a rotation are shown after it", async (t) => {
  const edge = await edgeOf(t, [MESSAGES], site, { current: "OLD_KEY", origin: "ORIGIN_KEY" });
  const visitor = browser(edge);
  const texts = ["saved", "a longer one ".repeat(20).trim(), 'schön; "so"'];
  await visitor.go(`/say?${texts.map((text) => `text=${encodeURIComponent(text)}`).join("&")}`);
  assert.equal(
    await sign.refusal("read_messages", { key: SECRETS.ORIGIN_KEY, value: visitor.cookie("messages") }),
    null,
  );
  assert.deepEqual(await sign.ask("read_messages", { key: SECRETS.OLD_KEY, value: visitor.cookie("messages") }), texts);
  await edge.restart({ config: pinned({ cookies: [MESSAGES] }), secrets: SECRETS });
  assert.deepEqual((await visitor.go("/shown")).json(), { messages: texts });
  assert.equal(visitor.cookie("messages"), undefined);
});

test("messages under a key that is not in the ring are not shown", async (t) => {
  const visitor = browser(await edgeOf(t, [MESSAGES]));
  visitor.set(`messages=${await sign.ask("messages", { key: SECRETS.ORIGIN_KEY, texts: ["you won"] })}; Path=/`);
  assert.deepEqual((await visitor.go("/shown")).json(), { messages: [] });
});

for (const [version, scheme, origin, django] of [
  ["5.2", "v2", site, sign],
  ["4.2", "v1", site42, sign42],
]) {
  const rule = { ...BASKET, scheme };

  test(`set_signed_cookie of Django ${version} (${scheme}) goes out under the ring's key and comes back under the origin's`, async (t) => {
    const edge = await edgeOf(t, [rule], origin);
    for (const value of TRICKY) {
      const visitor = browser(edge);
      await visitor.go(`/sign?value=${encodeURIComponent(value)}`);
      const wire = visitor.cookie("basket");
      assert.equal(
        await django.ask("read_signed_cookie", { key: SECRETS.NEW_KEY, name: "basket", value: wire }),
        value,
      );
      const { basket } = (await send(edge.port, { path: "/signed", cookie: `basket=${wire}` })).json();
      assert.equal(basket, value);
    }
  });

  test(`a signed cookie of Django ${version} survives a rotation and keeps its bytes`, async (t) => {
    const edge = await edgeOf(t, [rule], origin);
    const at = ago(500);
    for (const value of TRICKY) {
      const cookie = (key) => django.ask("signed_cookie", { key: SECRETS[key], name: "basket", value, at });
      const header = `a=1; basket=${await cookie("OLD_KEY")}; b=2`;
      assert.equal((await send(edge.port, { path: "/signed", cookie: header })).json().basket, value);
      const seen = (await send(edge.port, { cookie: header })).json().header;
      assert.equal(seen, `a=1; basket=${await cookie("ORIGIN_KEY")}; b=2`);
    }
  });

  test(`a signed cookie of Django ${version} under another name is refused`, async (t) => {
    const edge = await edgeOf(t, [rule], origin);
    const other = await django.ask("signed_cookie", { key: SECRETS.NEW_KEY, name: "bucket", value: "tea" });
    assert.equal((await send(edge.port, { cookie: `basket=${other}` })).json().header, null);
  });
}

test("a salt of the site's own is part of the rule", async (t) => {
  const edge = await edgeOf(t, [{ ...BASKET, salt: "checkout" }]);
  const visitor = browser(edge);
  await visitor.go("/sign?value=tea&salt=checkout");
  const value = visitor.cookie("basket");
  const known = { key: SECRETS.NEW_KEY, name: "basket", value };
  assert.equal(await sign.ask("read_signed_cookie", { ...known, salt: "checkout" }), "tea");
  assert.equal(await sign.refusal("read_signed_cookie", known), "BadSignature");
  const shown = await send(edge.port, { path: "/signed?salt=checkout", cookie: `basket=${value}` });
  assert.equal(shown.json().basket, "tea");
});

test("cookies of Django 4.2 are accepted, and handed to 5.2 in its own scheme", async (t) => {
  const edge = await edgeOf(t, [{ ...BASKET, accept: [{ format: "django-signed-cookie", scheme: "v1" }] }]);
  const at = ago(500);
  const v1 = await sign42.ask("signed_cookie", { key: SECRETS.NEW_KEY, name: "basket", value: "tea", at });
  const seen = (await send(edge.port, { cookie: `basket=${v1}` })).json().header;
  assert.equal(
    seen,
    `basket=${await sign.ask("signed_cookie", { key: SECRETS.ORIGIN_KEY, name: "basket", value: "tea", at })}`,
  );
  assert.deepEqual((await edge.reports(1))[0].verdicts[0].verdict, "accepted-format");
});

test("an origin that stays on Django 4.2 is served in v1 while browsers hold v2", async (t) => {
  const edge = await edgeOf(t, [{ ...BASKET, origin: { format: "django-signed-cookie", scheme: "v1" } }], site42);
  const visitor = browser(edge);
  await visitor.go("/sign?value=tea");
  assert.equal(
    await sign.ask("read_signed_cookie", { key: SECRETS.NEW_KEY, name: "basket", value: visitor.cookie("basket") }),
    "tea",
  );
  const { basket } = (await send(edge.port, { path: "/signed", cookie: `basket=${visitor.cookie("basket")}` })).json();
  assert.equal(basket, "tea");
});

test("a session of Django 4.2 is carried like one of 5.2", async (t) => {
  const visitor = browser(await worker(t, { config: pinned(), secrets: SECRETS, origin: site42 }));
  await visitor.go("/login");
  assert.equal((await visitor.go("/")).json().user, "ada");
  await sign42.readSession("NEW_KEY", visitor.cookie("sessionid"));
});

test("two rules in one request are each re-signed under their own salt", async (t) => {
  const edge = await edgeOf(t, [...pinned().cookies, MESSAGES, BASKET]);
  const visitor = browser(edge);
  await visitor.go("/login?item=tea");
  await visitor.go("/say?text=hello");
  await visitor.go("/sign?value=milk");
  assert.deepEqual((await visitor.go("/shown")).json(), { messages: ["hello"] });
  await sign.readSession("NEW_KEY", visitor.cookie("sessionid"));
  await sign.ask("read_signed_cookie", { key: SECRETS.NEW_KEY, name: "basket", value: visitor.cookie("basket") });
  const cookie = ["sessionid", "basket"].map((name) => `${name}=${visitor.cookie(name)}`).join("; ");
  assert.equal((await send(edge.port, { path: "/signed", cookie })).json().basket, "milk");
  assert.equal((await send(edge.port, { cookie })).json().user, "ada");
});
