// The life of an installation: the real command line, wrangler, git, workerd and Django, with Cloudflare stood in for.
//
// A site with sessions gets a Worker, rotates its keys twice, loses one to a thief, and goes without the Worker again.
// At each change of the traffic every visitor sends requests, which meet either version as in a gradual deployment.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { browser, SECRETS } from "./harness.mjs";
import { each, move } from "./harness/fleet.mjs";
import { installation } from "./harness/installation.mjs";
import { TOKEN } from "./harness/verdict.mjs";

const SEED = process.env.ROTATION_SEED ?? String(Date.now());
const SITE_KEY = SECRETS.ORIGIN_KEY;
const ROUTES = 'routes = [{ pattern = "shop.example/*", zone_name = "shop.example" }]';

/** The lines of `status` about what may be rolled back to. */
const rollbacks = (said) =>
  said
    .slice(said.indexOf("roll back to"))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(yes|no) /.test(line));

const HISTORY = [
  "Begin",
  "Route the shop",
  "Enforce",
  "Stage KEY_2026_11",
  "Promote KEY_2026_11",
  "Retire DJANGO_SECRET_KEY",
  "Stage KEY_2027_05",
  "Promote KEY_2027_05",
  "Revoke KEY_2026_11",
  "Leave: stage DJANGO_SECRET_KEY",
  "Leave: promote DJANGO_SECRET_KEY",
  "Retire KEY_2027_05",
];

test("an installation lives from first deployment to last without losing a session but to a leak", async (t) => {
  t.diagnostic(`ROTATION_SEED=${SEED}`);
  const shop = await installation({ after }, { key: SITE_KEY, seed: SEED, sessions: 12, logins: 4 });
  const { account, api, edge, everyone, folder, site } = shop;
  // each stands on those before it
  let goesOn = true;
  const step = (name, action) =>
    t.test(name, { skip: !goesOn }, async () => {
      goesOn = false;
      await action();
      goesOn = true;
    });

  await step("sessions begin at a site without a Worker", shop.isKnownToAll);

  await step("the first deployment: no routes, then the secrets, then routes, to observe", async () => {
    await folder.countersign("check --against none");
    await folder.wrangler("deploy");
    await folder.wrangler("secret put DJANGO_SECRET_KEY", { input: `${SITE_KEY}\n` });
    await folder.wrangler("secret put COUNTERSIGN_TOKEN", { input: `${TOKEN}\n` });
    await folder.edit("routes = []", ROUTES, "Route the shop");
    await folder.wrangler("deploy");
    assert.match(await folder.countersign("status"), /mode +observe/);
    await shop.isKnownToAll();
  });

  await step("enforce with the site's own key", async () => {
    await folder.edit('mode = "observe"', 'mode = "enforce"', "Enforce");
    assert.match(await folder.countersign("check --against live"), /no session is lost/);
    await folder.wrangler("deploy");
    const said = await folder.countersign("status");
    assert.match(said, /mode +enforce/);
    assert.match(said, /current +DJANGO_SECRET_KEY/);
    assert.match(said, new RegExp(`version +${Object.keys(account.shares)[0]}`));
    assert.match(await folder.countersign("check --against live"), /no session is lost/);
    await shop.isKnownToAll();
  });

  await step("what was not staged is not promoted", () =>
    shop.refuses("promote KEY_2026_11 --deploy", /KEY_2026_11 is not staged/),
  );

  await step("nothing is deployed from a working tree with changes", async () => {
    folder.write("notes.txt", "not committed");
    await shop.refuses("stage KEY_2026_11 --deploy", /the working tree has changes/);
    await folder.git("clean --quiet --force");
  });

  await step("stage KEY_2026_11: key and configuration are one version, tried before it gets traffic", async () => {
    await shop.deploys("stage KEY_2026_11");
    assert.deepEqual(Object.values(account.history[1]), [100, 0]);
  });

  await step("a version whose secret has other bytes than the live one's gets no traffic", async () => {
    const before = await shop.state();
    await account.saveSecret("DJANGO_SECRET_KEY", `${SITE_KEY}, mistyped`);
    const said = await folder.countersign("promote KEY_2026_11 --deploy", { code: 1 });
    assert.match(said, /by the fingerprints of the keys, sessions would be lost: .* DJANGO_SECRET_KEY/);
    assert.match(said, /the commit "Promote KEY_2026_11" is made and not live/);
    assert.deepEqual(account.shares, before.shares);
    assert.deepEqual(Object.values(account.history[1]), [100, 0]);
    await shop.isCommitted("Promote KEY_2026_11", before);
    await shop.isKnownToAll();
    // it is the latest version all the same, and wrangler puts no secret beside one that is not deployed
    await shop.refuses("revoke KEY_2026_11 --now", /the latest version was uploaded and never deployed/, 3);
  });

  await step("promote KEY_2026_11, which is committed already", async () => {
    await account.saveSecret("DJANGO_SECRET_KEY", SITE_KEY);
    await shop.deploys("promote KEY_2026_11");
    assert.equal(await move(everyone, edge), 0, "sessions that did not move");
    const cookie = everyone[0].cookie();
    const { verdict, key } = JSON.parse(await folder.countersign("inspect --live --json", { input: cookie }));
    assert.deepEqual([verdict, key], ["current", "KEY_2026_11"]);
  });

  const thief = browser(site);
  await thief.go("/login?item=gold"); // with the site's own key, as a forgery is made
  const isLetIn = async () => {
    thief.at = edge;
    return (await thief.fetch("/")).json().user === "ada";
  };

  await step("retire DJANGO_SECRET_KEY, once it is out of use", async () => {
    assert.ok(await isLetIn(), "the forgery must be good, or the test shows nothing");
    await shop.refuses("retire DJANGO_SECRET_KEY --deploy", /is in use; cookies that it opened in the last 7 days/);
    await shop.weekPasses();
    await shop.deploys("retire DJANGO_SECRET_KEY", /opened nothing in the last 7 days/);
    assert.ok(!(await isLetIn()), "a forgery with the site's own key");
  });

  await step("rotate again, while some visitors stay away", async () => {
    await shop.deploys("stage KEY_2027_05");
    shop.leave(everyone.filter((_, n) => n % 3 === 0));
    await shop.deploys("promote KEY_2027_05");
    assert.equal(await move(shop.present(), edge), 0, "sessions that did not move");
  });

  await step("KEY_2026_11 leaks: new bytes for it end the sessions that it signed, and only those", async () => {
    const { away } = shop;
    const forgery = away[0].copy(Math.random);
    await forgery.script(edge);
    assert.ok(forgery.isKnown, "the forgery must be good, or the test shows nothing");
    // wrangler would write to the Worker shop-production
    folder.write(".git/info/exclude", ".env\n");
    folder.write(".env", "CLOUDFLARE_ENV=production\n");
    assert.match(await folder.countersign("revoke KEY_2026_11 --now"), /KEY_2026_11 has new bytes/);
    await shop.isKnownToAll();
    const [again, ...others] = rollbacks(await folder.countersign("status"));
    assert.match(again, /Promote KEY_2027_05 \(as it was deployed before\): it would accept KEY_2026_11 again/);
    assert.match(others[0], /Stage KEY_2027_05: it would accept KEY_2026_11 again/);
    await each([forgery, ...away], (one) => one.page(edge));
    const stillKnown = [forgery, ...away].filter(({ isKnown }) => isKnown).map(({ name }) => name);
    assert.deepEqual(stillKnown, []);
    await shop.begin(away);
    await shop.deploys("revoke KEY_2026_11");
    assert.deepEqual(Object.values(account.history[1]), [100], "a revocation goes to all traffic at once");
    const offered = rollbacks(await folder.countersign("status"));
    assert.match(offered[0], /Promote KEY_2027_05: it would accept KEY_2026_11 again/);
    assert.deepEqual(offered.filter((line) => line.startsWith("yes")), []);
    folder.write(".env", "");
  });

  await step("leave: back to the site's own key", async () => {
    await shop.deploys("leave"); // stages it
    await shop.deploys("leave"); // promotes it
    assert.equal(await move(everyone, edge), 0, "sessions that did not move");
    await shop.refuses("check --against none", /the Worker may not be removed yet/);
    assert.match(await folder.countersign("leave --deploy"), /KEY_2027_05 sealed may still be in browsers: wait until/);
    await shop.weekPasses();
    await shop.deploys("retire KEY_2027_05");
    assert.match(await folder.countersign("leave --deploy"), /nothing would be lost without it/);
    assert.match(await folder.countersign("check --against none"), /no session is lost/);
  });

  await step("the Worker goes", async () => {
    account.removeRoutes();
    await shop.isKnownToAll();
    await folder.wrangler("delete");
    await shop.isKnownToAll();
  });

  await step("the history tells it all, and no secret; and every call of wrangler's was answered", async () => {
    await folder.git("log --patch");
    assert.deepEqual((await folder.git("log --reverse --format=%s")).trimEnd().split("\n"), HISTORY);
    assert.deepEqual(api.unknown, []);
  });
});
