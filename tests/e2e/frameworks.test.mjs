// A key is rotated in the middle of a session, behind each framework's real site, which keeps its own key throughout.
import assert from "node:assert/strict";
import test from "node:test";
import { FRAMEWORKS } from "./frameworks/table.mjs";
import { browser, pinned, SECRETS, tapped, worker } from "./harness.mjs";
import { program, served } from "./harness/processes.mjs";

for (const framework of FRAMEWORKS) {
  const command = framework.command();
  const skip = !command && `not installed (Debian: ${framework.needs})`;
  test(framework.name, { skip }, async (t) => {
    const story = await beginning(t, framework, command);
    t.diagnostic(`version ${story.site.version}`);
    for (const [sentence, step] of Object.entries(STEPS)) await t.test(sentence, () => step(story));
  });
}

const STEPS = {
  async "on the first day the ring is the site's own key, and a login holds"(story) {
    const { edge, site, ada, grace } = story;
    assert.equal(await userOf(ada), "nobody");
    await ada.go("/login?user=ada");
    await grace.go("/login?user=grace");
    assert.deepEqual([await userOf(ada), await userOf(grace)], ["ada", "grace"]);
    story.old = ada.jar.map((cookie) => ({ ...cookie }));
    assert.equal(await userOf(holder(site, story.old)), story.isWrapped ? "nobody" : "ada");
    await edge.restart(ring(story, "ORIGIN_KEY", "NEW_KEY"));
    assert.equal(await userOf(ada), "ada");
  },

  async "when a new key is promoted a page brings the browser's cookie under it"(story) {
    const { edge, ada } = story;
    await edge.restart(ring(story, "NEW_KEY", "ORIGIN_KEY"));
    assert.equal(await userOf(ada), "ada");
    assert.notEqual(asHeader(ada.jar), asHeader(story.old));
    assert.equal(ada.jar.length, story.old.length);
    await isUnderTheNewKey(story, ada, "ada");
  },

  async "what the site sets comes out under the new key and returns to it as it was"(story) {
    const { framework, origin, grace } = story;
    await grace.fetch(`/login?user=${encodeURIComponent(HEDY)}`);
    const set = origin.lastSet;
    assert.equal(await userOf(grace), HEDY);
    if (framework.isRandom) assert.notEqual(origin.last.cookie, asHeader(grace.jar));
    else assert.equal(origin.last.cookie, set);
    await isUnderTheNewKey(story, grace, HEDY);
  },

  async "when the site's key leaves the ring, what it signed opens nothing any more"(story) {
    const { edge, site, ada, grace } = story;
    assert.equal(await userOf(holder(edge, story.old)), "ada", "the old copy must be good until then");
    const forger = browser(site);
    await forger.go("/login?user=eve");
    assert.equal(await userOf(forger), "eve", "the forgery must be good, or the test shows nothing");

    await edge.restart(ring(story, "NEW_KEY"));
    assert.deepEqual([await userOf(ada), await userOf(grace)], ["ada", HEDY]);
    await isRefused(story, story.old);
    await isRefused(story, forger.jar);
  },

  async "a cookie altered anywhere is refused"(story) {
    const { ada } = story;
    for (const cookie of ada.jar) {
      for (const value of alterations(cookie.value)) {
        await isRefused(story, ada.jar.map((kept) => (kept === cookie ? { ...cookie, value } : kept)));
      }
    }
    assert.equal(await userOf(ada), "ada");
  },

  async "a logout ends the session and no other"({ edge, ada, grace }) {
    await ada.go("/logout");
    assert.equal(await userOf(ada), "nobody");
    assert.equal(await userOf(grace), HEDY);
    const verdicts = (await edge.reports()).flatMap((report) => report.verdicts).map(({ verdict }) => verdict);
    for (const wrong of ["origin-unverified", "attributes-differ"]) assert.ok(!verdicts.includes(wrong), wrong);
  },
};

// whose name needs quoting or encoding in most cookies
const HEDY = 'hédy, "="; 100% +/';

async function beginning(t, framework, command) {
  const secrets = { ...SECRETS, ...framework.keys };
  const siteUnder = (id) => served(t, program(command, { ORIGIN_KEY: secrets[id], ORIGIN_KEY_ID: id }));
  // The same site under the new key says what is signed with it, as long as the cookie tells all.
  const judges = framework.sessions !== "at the site";
  const [site, judge] = await Promise.all([siteUnder("ORIGIN_KEY"), judges && siteUnder("NEW_KEY")]);
  const origin = await tapped(t, site);
  const story = { framework, secrets, site, judge, origin, isWrapped: framework.rule.origin?.format === "plain" };
  story.edge = await worker(t, { origin, ...ring(story, "ORIGIN_KEY") });
  return { ...story, ada: browser(story.edge), grace: browser(story.edge) };
}

function ring({ framework, secrets }, current, ...fallbacks) {
  const { encoding } = framework;
  const key = (secret) => (encoding ? { secret, encoding } : secret);
  const keys = { current: key(current), fallbacks: fallbacks.map(key), origin: key("ORIGIN_KEY") };
  return { config: pinned({ keys, cookies: [framework.rule] }), secrets };
}

/** Without the Worker between, the site knows nothing of the new key, and a site that has the new key reads it. */
async function isUnderTheNewKey({ site, judge }, { jar }, user) {
  assert.equal(await userOf(holder(site, jar)), "nobody");
  if (judge) assert.equal(await userOf(holder(judge, jar)), user);
}

async function isRefused({ edge, origin }, jar) {
  assert.equal(await userOf(holder(edge, jar)), "nobody", asHeader(jar));
  assert.equal(origin.last.cookie, null);
}

const userOf = async (visitor) => (await visitor.go("/")).text;

/** Someone else with a copy of these cookies. */
function holder(at, jar) {
  const visitor = browser(at);
  visitor.jar.push(...jar);
  return visitor;
}

const asHeader = (jar) => jar.map(({ name, value }) => `${name}=${value}`).join("; ");

/** The value with one character changed, at places all over it; a base64 character changes in its highest bit. */
function alterations(value) {
  const places = [...value.matchAll(/[A-Za-z0-9]/g)].map(({ index }) => index);
  const chosen = places.filter((_, n) => n % Math.ceil(places.length / 12) === 0 || n === places.length - 1);
  const opposite = (letter) => BASE64[BASE64.indexOf(letter) ^ 32];
  return chosen.map((place) => value.slice(0, place) + opposite(value[place]) + value.slice(place + 1));
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
