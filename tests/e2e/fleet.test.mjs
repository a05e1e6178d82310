// Countersign's verdicts on changes against the world: a gradual deployment of each, with hundreds of sessions in use.
//
// One crowd of sessions lives through the whole life of an installation. Each change is rolled out by shares of
// the requests, goes live, is rolled back and goes live again. Where a change is called safe no answer forgets
// its visitor; what is called unsafe is tried with copies of some sessions, and loses them.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ago, django, pinned, SECRETS, SESSION } from "./harness.mjs";
import { each, fleet, move, randomness, rollOut, session } from "./harness/fleet.mjs";
import { verdictOfFiles, verdictsOfLive } from "./harness/verdict.mjs";

const SEED = process.env.FLEET_SEED ?? String(Date.now());
const SESSIONS = 200;
const LOGINS = 40; // which are slow to make; the others are baskets of nobody
const COPIES = 40;

/** Half of the requests, all, half again on the way back, none; and then all for good. */
const THERE_AND_BACK = [0.5, 0.5, 1, 0.5, 0];
const AT_ONCE = [1, 1, 1, 1, 1];

const version = (keys, rule = {}, changes = {}, secrets = SECRETS) => ({
  config: pinned({
    reports: undefined,
    keys: { origin: "ORIGIN_KEY", ...keys },
    cookies: [{ ...SESSION, ...rule }],
    ...changes,
  }),
  secrets,
});
const SHA256 = { format: "django-session", digest: "sha256" };
const SHA512 = { format: "django-session", digest: "sha512" };

const NONE = { config: null };
const OBSERVING = version({ current: "ORIGIN_KEY" }, {}, { mode: "observe" });
const FIRST_DAY = version({ current: "ORIGIN_KEY" });
const STAGED = version({ current: "ORIGIN_KEY", fallbacks: ["NEW_KEY"] });
const STAGED_TOO_SHORT = version({
  current: "ORIGIN_KEY",
  fallbacks: [{ secret: "NEW_KEY", until: new Date(ago(60) * 1000).toISOString() }],
});
const PROMOTED = version({ current: "NEW_KEY", fallbacks: ["ORIGIN_KEY"] });
const RETIRED = version({ current: "NEW_KEY" });
const OTHER_BYTES = version({ current: "NEW_KEY" }, {}, {}, { ...SECRETS, NEW_KEY: SECRETS.RETIRED_KEY });
const OTHER_ORIGIN = version({ current: "NEW_KEY", origin: "OLD_KEY" });
const ACCEPTING = version({ current: "NEW_KEY" }, { ...SHA256, accept: [SHA512] });
const UPGRADED = version({ current: "NEW_KEY" }, { ...SHA512, accept: [SHA256], origin: SHA256 });
const BARE = version({ current: "NEW_KEY" }, { ...SHA512, origin: SHA256 });
const LEAVING = version(
  { current: "NEW_KEY", fallbacks: ["ORIGIN_KEY"] },
  { ...SHA512, accept: [SHA256], origin: SHA256 },
);
const LEFT = version({ current: "ORIGIN_KEY", fallbacks: ["NEW_KEY"] }, { ...SHA256, accept: [SHA512] });

/** In order, for one crowd. A `safe` change takes it along; `afterMove` waits until all its cookies are current. */
const LIFE = [
  { unsafe: "installation with a key of its own", from: NONE, to: PROMOTED },
  { safe: "installation, to observe", from: NONE, to: OBSERVING },
  { safe: "to enforce, on the first day", from: OBSERVING, to: FIRST_DAY },
  { unsafe: "promote without stage", from: FIRST_DAY, to: PROMOTED },
  { unsafe: "promote of a key whose time as staged has passed", from: STAGED_TOO_SHORT, to: PROMOTED },
  { safe: "stage", from: FIRST_DAY, to: STAGED },
  { unsafe: "promote and retire in one", from: STAGED, to: RETIRED },
  { forgets: "retire before the sessions have moved", from: PROMOTED, to: RETIRED },
  { safe: "promote", from: STAGED, to: PROMOTED },
  { unsafe: "rollback across the promote", from: PROMOTED, to: FIRST_DAY },
  { unsafe: "removal with a key of its own in use", from: PROMOTED, to: NONE },
  { safe: "retire", from: PROMOTED, to: RETIRED, afterMove: true },
  { unsafe: "other bytes under the same key id", from: RETIRED, to: OTHER_BYTES },
  { unsafe: "an origin key that is not the origin's", from: RETIRED, to: OTHER_ORIGIN },
  { unsafe: "format without accept", from: RETIRED, to: UPGRADED },
  { safe: "the new format into accept", from: RETIRED, to: ACCEPTING },
  { safe: "the new format", from: ACCEPTING, to: UPGRADED },
  { unsafe: "rollback across the new format", from: UPGRADED, to: RETIRED },
  { safe: "the old format out of accept", from: UPGRADED, to: BARE, afterMove: true },
  { safe: "leave: the origin's key and format staged", from: BARE, to: LEAVING },
  { unsafe: "removal before the way back is gone", from: LEAVING, to: NONE },
  { safe: "leave: back to the origin's key and format", from: LEAVING, to: LEFT },
  { safe: "leave: the first day again", from: LEFT, to: FIRST_DAY, afterMove: true },
  { safe: "removal", from: FIRST_DAY, to: NONE },
];

const versions = new Set(LIFE.flatMap(({ from, to }) => [from, to]));
const site = await django({ after }, { key: SECRETS.ORIGIN_KEY });
const running = await fleet({ after }, site, versions);

test("what is called safe loses no session on a fleet, and what is not loses them", async (t) => {
  t.diagnostic(`FLEET_SEED=${SEED}`);
  const crowd = await beginning(running.get(NONE));
  for (const step of LIFE) {
    await t.test(step.safe ?? step.unsafe ?? step.forgets, async (t) => {
      const [from, to] = [running.get(step.from), running.get(step.to)];
      const verdict = await verdictOf(step, from, to);
      const told = step.safe ? isSafe : step.unsafe ? isUnsafe : isForgotten;
      const { sessions, requests, missed, lost } = await told({ step, crowd, from, to, verdict });
      t.diagnostic(`${sessions} sessions, ${requests} requests, ${missed} of them not known, ${lost} sessions lost`);
    });
  }
});

test("what a version seals opens behind every other that is said to open it, and behind none else", async (t) => {
  // where the site has the key that the rule says it has
  const all = [...versions].filter((one) => one !== OTHER_ORIGIN);
  const edges = all.map((one) => running.get(one));
  const verdicts = await verdictsOfLive(edges.map((edge, n) => all[n].config && edge));
  const counts = { safe: 0, unsafe: 0 };
  for (const [row, from] of edges.entries()) {
    const one = session(`fresh-${row}`, randomness(SEED));
    await one.add(from);
    await each([...edges.entries()], async ([column, to]) => {
      const { lost } = verdicts[row][column];
      const copy = one.copy(randomness(SEED));
      await copy.page(to);
      assert.equal(copy.isKnown, lost.length === 0, `from ${row} to ${column}: ${lost.join() || "no losses"}`);
      counts[copy.isKnown ? "safe" : "unsafe"] += 1;
    });
  }
  t.diagnostic(`${all.length} versions, each before each: ${counts.safe} safe, ${counts.unsafe} unsafe`);
});

async function isSafe({ step, crowd, from, to, verdict }) {
  assert.deepEqual([verdict.forth, verdict.back], [[], []]);
  if (step.afterMove) assert.equal(await move(crowd, from), 0, "sessions that did not move");
  const outcome = await rollOut(crowd, from, to, THERE_AND_BACK);
  assert.deepEqual([outcome.missed, outcome.lost], [0, 0]);
  return outcome;
}

async function isUnsafe({ step, crowd, from, to, verdict }) {
  assert.notDeepEqual([verdict.forth, verdict.back], [[], []]);
  const outcome = await rollOut(copies(crowd, step.unsafe), from, to, THERE_AND_BACK);
  assert.ok(outcome.lost > 0, "no session was lost");
  return outcome;
}

/** What neither version seals may be in browsers still. Two policies cannot tell, but they say what is forgotten. */
async function isForgotten({ step, crowd, from, to, verdict }) {
  assert.deepEqual([verdict.forth, verdict.back], [[], []]);
  assert.match(verdict.notes.join("\n"), /^sessionid: what is left in .* under ORIGIN_KEY opens no longer$/);
  const outcome = await rollOut(copies(crowd, step.forgets), from, to, AT_ONCE);
  assert.equal(outcome.lost, outcome.sessions);
  return outcome;
}

/** By what the live Workers say and by their configurations, which do not tell the bytes of keys. */
async function verdictOf(step, from, to) {
  const rows = await verdictsOfLive([step.from.config && from, step.to.config && to]);
  const losses = { forth: rows[0][1].lost, back: rows[1][0].lost };
  const haveSameKeys = !step.from.config || !step.to.config || step.from.secrets === step.to.secrets;
  if (haveSameKeys) assert.deepEqual(await verdictOfFiles(step.from.config, step.to.config), losses);
  return { ...losses, notes: rows[0][1].notes };
}

/** Sessions that began before there was a Worker. */
async function beginning(site) {
  const crowd = Array.from({ length: SESSIONS }, (_, n) => session(`visitor-${n}`, randomness(`${SEED} ${n}`)));
  await each(crowd.slice(0, LOGINS), (one) => one.login(site));
  await each(crowd.slice(LOGINS), (one) => one.add(site));
  return crowd;
}

/** Copies of some sessions, of both kinds, to be lost. */
function copies(crowd, name) {
  const some = crowd.filter((_, n) => n % (SESSIONS / COPIES) === 0);
  return some.map((one) => one.copy(randomness(`${SEED} ${name} ${one.name}`)));
}
