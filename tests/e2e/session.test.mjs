// A login in a real Django behind Countersign, through rotations and leaks.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import {
  ago,
  browser,
  django,
  firstDay,
  NAVIGATION,
  parseSetCookie,
  pinned,
  SECRETS,
  signer,
  worker,
} from "./harness.mjs";

const sign = await signer({ after });
const sites = {
  wsgi: await django({ after }, { key: SECRETS.ORIGIN_KEY }),
  asgi: await django({ after }, { key: SECRETS.ORIGIN_KEY, server: "asgi" }),
};
const edgeOf = (t, config, origin = sites.wsgi) => worker(t, { config, secrets: SECRETS, origin });
const ring = (current, ...fallbacks) => pinned({ keys: { current, fallbacks, origin: "ORIGIN_KEY" } });
const userSeenBy = async (visitor) => (await visitor.go("/")).json().user;

for (const [server, site] of Object.entries(sites)) {
  test(`a visitor logs in, is known on the next page, and logs out (${server})`, async (t) => {
    const visitor = browser(await edgeOf(t, ring("NEW_KEY"), site));
    await visitor.go("/login?item=tea");
    const page = (await visitor.go("/")).json();
    assert.equal(page.user, "ada");
    assert.deepEqual(page.session, { basket: ["tea"] });
    await visitor.go("/logout");
    assert.equal(visitor.cookie("sessionid"), undefined);
    assert.equal(await userSeenBy(visitor), "");
  });

  test(`the browser's copy is signed with the ring's key and the origin's with its own (${server})`, async (t) => {
    const visitor = browser(await edgeOf(t, ring("NEW_KEY"), site));
    await visitor.go("/login?item=tea");
    const browsers = await sign.readSession("NEW_KEY", visitor.cookie("sessionid"));
    const origins = await sign.readSession("ORIGIN_KEY", (await visitor.go("/")).json().cookies.sessionid);
    assert.deepEqual(origins, browsers);
  });

  test(`a rotation in three steps leaves the login intact and ends with the new key (${server})`, async (t) => {
    const edge = await edgeOf(t, firstDay(), site);
    const visitor = browser(edge);
    await visitor.go("/login?item=tea");
    const first = visitor.cookie("sessionid");
    const { at } = await sign.readSession("ORIGIN_KEY", first);

    const steps = [ring("ORIGIN_KEY", "NEW_KEY"), ring("NEW_KEY", "ORIGIN_KEY"), ring("NEW_KEY")];
    for (const config of steps) {
      await edge.restart({ config, secrets: SECRETS });
      assert.equal(await userSeenBy(visitor), "ada");
    }
    assert.equal((await sign.readSession("NEW_KEY", visitor.cookie("sessionid"))).at, at);

    const thief = browser(edge);
    thief.set(`sessionid=${first}; Path=/`);
    assert.equal(await userSeenBy(thief), "");
  });
}

test("the answer to a login is the redirect itself, with its cookie", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY"));
  const answer = await browser(edge).go("/login");
  assert.equal(answer.status, 302);
  assert.equal(answer.header("location"), "/");
  assert.equal(answer.setCookies.length, 1);
  await sign.readSession("NEW_KEY", parseSetCookie(answer.setCookies[0]).value);
});

test("what follows the value of the origin's Set-Cookie stays byte for byte", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY"));
  const attributes = ({ setCookies }) => setCookies[0].slice(setCookies[0].indexOf(";")).replace(/expires=[^;]*/, "");
  assert.equal(attributes(await browser(edge).go("/login")), attributes(await browser(sites.wsgi).go("/login")));
});

test("a session that the origin writes anew comes out under the current key", async (t) => {
  const edge = await edgeOf(t, ring("OLD_KEY"));
  const visitor = browser(edge);
  await visitor.go("/login");
  await edge.restart({ config: ring("NEW_KEY", "OLD_KEY"), secrets: SECRETS });
  await visitor.fetch("/touch?with=gloves", { method: "POST" });
  const { data } = await sign.readSession("NEW_KEY", visitor.cookie("sessionid"));
  assert.equal(data.touched, "gloves");
  assert.equal(await userSeenBy(visitor), "ada");
});

test("an upgrade keeps payload and time, and its Max-Age is what is left of it", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY", "OLD_KEY"));
  const visitor = browser(edge);
  const data = { basket: ["tea"], seen: "x".repeat(300) };
  const at = ago(86_400);
  visitor.set(`sessionid=${await sign.session("OLD_KEY", { data, at })}; Path=/`);
  const answer = await visitor.go("/");
  assert.deepEqual(answer.json().session, data);
  assert.deepEqual(await sign.readSession("NEW_KEY", visitor.cookie("sessionid")), { data, at });

  const { attributes, maxAge } = parseSetCookie(answer.setCookies[0]);
  assert.deepEqual(attributes.slice(0, 3), ["Path=/", "HttpOnly", "SameSite=Lax"]);
  const left = 1209600 - 86_400;
  assert.ok(maxAge <= left && maxAge >= left - 5, `Max-Age=${maxAge}, and ${left} s are left`);
  assert.equal((await visitor.go("/")).setCookies.length, 0);
});

test("a key that has left the ring opens nothing", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY", "OLD_KEY"));
  const visitor = browser(edge);
  visitor.set(`sessionid=${await sign.session("RETIRED_KEY")}; Path=/`);
  const page = (await visitor.go("/")).json();
  assert.deepEqual([page.session, page.header], [{}, null]);
  assert.deepEqual((await edge.reports(1))[0].verdicts, [{ rule: "sessionid", verdict: "bad-signature" }]);
});

test("a cookie forged with the origin's leaked key is worth nothing", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY", "OLD_KEY"));
  const visitor = browser(edge);
  await visitor.go("/login");
  const { data } = await sign.readSession("NEW_KEY", visitor.cookie("sessionid"));
  const forged = await sign.session("ORIGIN_KEY", { data });

  const forger = browser(sites.wsgi);
  forger.set(`sessionid=${forged}; Path=/`);
  assert.equal(await userSeenBy(forger), "ada", "the forgery must be good, or the test shows nothing");
  forger.at = edge;
  const page = (await forger.go("/")).json();
  assert.deepEqual([page.user, page.header], ["", null]);
});

test("a session older than max_age is refused though its signature is good", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY"));
  const visitor = browser(edge);
  visitor.set(`sessionid=${await sign.session("NEW_KEY", { at: ago(1209600 + 60) })}; Path=/`);
  assert.equal((await visitor.go("/")).json().header, null);
  assert.deepEqual((await edge.reports(1))[0].verdicts, [{ rule: "sessionid", verdict: "expired" }]);
});

test("a logout during a slow page is not undone by that page", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY", "OLD_KEY"));
  const visitor = browser(await edgeOf(t, ring("OLD_KEY")));
  await visitor.go("/login");
  visitor.at = edge;

  const slowPage = visitor.go("/slow?seconds=2.6");
  await visitor.fetch("/logout", { method: "POST" });
  assert.equal(visitor.cookie("sessionid"), undefined);
  const slow = await slowPage;
  assert.equal(slow.text, "slow page of ada");
  assert.deepEqual(slow.setCookies, []);
  assert.equal(visitor.cookie("sessionid"), undefined);
  const reasons = (await edge.reports(2)).flatMap(({ verdicts }) => verdicts).map(({ reason }) => reason);
  assert.ok(reasons.includes("late"), `reasons were ${reasons}`);
});

test("with upgrade = never a logout during a page of any length stays", async (t) => {
  const config = ring("NEW_KEY", "OLD_KEY");
  config.cookies = [{ ...config.cookies[0], upgrade: "never" }];
  const edge = await edgeOf(t, config);
  const visitor = browser(await edgeOf(t, ring("OLD_KEY")));
  await visitor.go("/login");
  visitor.at = edge;
  const slowPage = visitor.go("/slow?seconds=0.6");
  await visitor.fetch("/logout", { method: "POST", headers: NAVIGATION });
  assert.deepEqual((await slowPage).setCookies, []);
  assert.equal(visitor.cookie("sessionid"), undefined);
  const reasons = (await edge.reports(2)).flatMap(({ verdicts }) => verdicts).map(({ reason }) => reason);
  assert.ok(reasons.includes("never"), `reasons were ${reasons}`);
});

test("the same fallback cookie opens again and again", async (t) => {
  const edge = await edgeOf(t, ring("NEW_KEY", "OLD_KEY"));
  const visitor = browser(edge);
  const value = await sign.session("OLD_KEY");
  for (let round = 0; round < 50; round++) {
    visitor.set(`sessionid=${value}; Path=/`);
    assert.deepEqual((await visitor.fetch("/")).json().session, { user: "ada" });
  }
});

test("an origin that has the current key gets it, and browsers catch up", async (t) => {
  const keys = { current: "ORIGIN_KEY", fallbacks: ["OLD_KEY"], origin: "ORIGIN_KEY" };
  const visitor = browser(await edgeOf(t, pinned({ keys })));
  visitor.set(`sessionid=${await sign.session("OLD_KEY", { data: { basket: ["tea"] } })}; Path=/`);
  assert.deepEqual((await visitor.go("/")).json().session, { basket: ["tea"] });
  assert.deepEqual((await sign.readSession("ORIGIN_KEY", visitor.cookie("sessionid"))).data, { basket: ["tea"] });
});

test("an origin that changes its own key is understood under both", async (t) => {
  const keys = { current: "NEW_KEY", origin: { current: "ORIGIN_KEY", fallbacks: ["OLD_KEY"] } };
  const visitor = browser(await edgeOf(t, pinned({ keys })));
  const notYet = await django(t, { key: SECRETS.OLD_KEY });
  const edgeOfOld = await edgeOf(t, pinned({ keys }), notYet);
  visitor.at = edgeOfOld;
  await visitor.fetch("/touch?with=gloves");
  assert.equal((await sign.readSession("NEW_KEY", visitor.cookie("sessionid"))).data.touched, "gloves");
});
