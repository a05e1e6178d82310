// The rotations of the soak: steps as the command line takes them, rolled out as far as `check --against` calls them safe.
import { NONE, format, otherDigests } from "./operator.mjs";
import { forgetful } from "./plants.mjs";
import { READERS } from "./reading.mjs";

/** What is done, in turn and by chance, until the run is over; `done` are counts by kind. */
export function rotations({ operator, crowd, slots, world, random, plant, planted }) {
  const history = [world.live];
  const counts = { done: {}, refused: {}, rolledBack: 0 };
  const rules = Object.keys(READERS);
  let turn = 0;

  const count = (sums, kind) => (sums[kind] = (sums[kind] ?? 0) + 1);
  const chance = (share) => random() < share;
  const any = (items) => items[Math.floor(random() * items.length)];

  async function run() {
    while (!world.isOver && !world.isQuiet) {
      const rule = rules[turn % rules.length];
      turn += 1;
      await oneRotation(rule);
      if (chance(0.3)) await unsafe(any(rules));
      if (chance(0.3)) await older();
      if (turn % LEAVES_EVERY === 0 && !world.isQuiet) await leave();
    }
  }

  /** Steps of one rule until it has nothing staged and nothing old. */
  async function oneRotation(rule) {
    for (let steps = 0; steps < MOST_STEPS && !world.isOver && !world.isQuiet; steps += 1) {
      const { isLast } = await step(rule, steps === 0);
      if (isLast) return;
    }
  }

  async function step(rule, mayBegin) {
    const { staged, old, accepts, seals } = world.live.rings[rule];
    const [key] = staged;
    const isHeld = crowd.everyone.some((one) => one.kind?.key === key);
    if (key && !isHeld && chance(0.2)) return take("revoke", key, ["revoke", key]);
    if (key) return take("promote", key, ["promote", key, "--rule", rule, ...GRACE]);
    if (old.length) return take("retire", old[0], ["retire", old[0], "--rule", rule, "--yes-unknown"]);
    const other = accepts.find(({ isOld }) => !isOld);
    if (other) return take("promote format", other.digest, ["promote", ...format(rule, other.digest), ...GRACE]);
    const [before] = accepts;
    if (before) return take("retire format", before.digest, ["retire", ...format(rule, before.digest), "--yes-unknown"]);
    if (!mayBegin) return { isLast: true };
    const [digest] = otherDigests(rule, seals.digest);
    if (digest && chance(0.35)) return take("stage format", digest, ["stage", ...format(rule, digest)]);
    const fresh = await operator.newKey(rule);
    return take("stage", fresh, ["stage", fresh, "--rule", rule]);
  }

  async function take(kind, what, args) {
    await operator.edit(...args);
    const next = await operator.version(`${kind} ${what}`);
    const isDone = await deploy(next, kind);
    if (!isDone) operator.takeBack(world.live);
    return { isLast: false };
  }

  /** Rolls a version out, if that is safe; answers whether it is live at last. */
  async function deploy(next, kind) {
    const from = world.live;
    const verdict = await operator.verdict(from, next);
    if (verdict.forth.length || verdict.back.length) return (count(counts.refused, kind), false);
    const left = crowd.leftBy(next).length;
    if (left > 0 && !verdict.notes.some((note) => note.includes("opens no longer"))) {
      world.finding(`check does not say that ${next.label} does not open what ${left} sessions have`);
    }
    const unmoved = left && (await crowd.move(next));
    if (unmoved) {
      world.finding(`${unmoved} sessions did not move from what ${next.label} does not open`);
      return false;
    }
    const isBack = await rollOut(from, next, kind);
    if (isBack) return (counts.rolledBack += 1, false);
    world.live = next;
    history.push(next);
    count(counts.done, kind);
    return true;
  }

  /** A process at a time, with requests in between; by chance all the way back, of which half stay there. */
  async function rollOut(from, next, kind) {
    const order = shuffled(slots);
    const reach = chance(0.2) && kind !== "revoke" ? 1 + Math.floor(random() * order.length) : 0;
    if (reach) {
      await goThrough(order.slice(0, reach), next, kind);
      await goThrough(order.slice(0, reach).reverse(), from, "rollback");
      if (chance(0.5)) return true;
      counts.rolledBack += 1;
    }
    await goThrough(order, next, kind);
    return false;
  }

  async function goThrough(some, version, kind) {
    for (const [at, slot] of some.entries()) {
      const forgotten = at === 0 && forgetful(plant, version, kind);
      if (forgotten) planted();
      await slot.replace(forgotten || version);
      if (kind === "revoke") continue; // a revocation goes to all traffic at once
      await world.after(Math.floor(random() * REQUESTS_A_STEP));
      if (forgotten) await slot.replace(version);
    }
  }

  function shuffled(items) {
    const left = [...items];
    return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]);
  }

  /** What never should be done, is not done: the command line refuses it, and `check` tells of it. */
  async function unsafe(rule) {
    const { seals } = world.live.rings[rule];
    const key = await operator.newKey(rule);
    const isRefused = await operator.refuses("promote", key, "--rule", rule);
    if (!isRefused) world.finding(`promote takes ${key}, which is not staged`);
    count(counts.refused, "promote of a key that is not staged");
    const rash = await operator.version(`promote ${key} by hand, unstaged`);
    rash.toml = rash.toml.replaceAll(`current = "${seals.key}"`, `current = "${key}"`);
    const { forth, back } = await operator.verdict(world.live, rash);
    if (forth.length || back.length) return count(counts.refused, "another current key by hand");
    world.finding(`check calls it safe to make ${key} current unstaged`);
  }

  /** Back to an older version, where `check` says that nothing is lost by it. */
  async function older() {
    const version = any(history.slice(-6, -1));
    if (!version?.config || version === world.live || world.isQuiet) return;
    if (await deploy(version, "rollback to an older version")) operator.takeBack(version);
  }

  /** Out of Countersign by `leave`, a time without a Worker, and back. */
  async function leave() {
    if (!(await settle(({ staged, old, accepts }) => staged.length + old.length + accepts.length))) return;
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      if (!/^next: git commit/m.test(await operator.edit("leave", ...GRACE))) break;
      const isDone = await deploy(await operator.version("leave"), "leave, a step");
      if (!isDone) operator.takeBack(world.live);
      if (world.isOver) return;
    }
    if (!(await settle(({ old, accepts }) => old.length + accepts.length))) return;
    const installed = world.live;
    world.isBare = true;
    if (await deploy(NONE, "removal")) {
      await world.after(REQUESTS_A_STEP);
      while (!(await deploy(installed, "installation"))); // by chance it is rolled back
    }
    world.isBare = false;
  }

  /** Takes the next steps of each rule of which something `isLeft`; answers whether nothing is left at last. */
  async function settle(isLeft) {
    for (let steps = 0; steps < MOST_STEPS * rules.length && !world.isOver; steps += 1) {
      const rule = rules.find((name) => isLeft(world.live.rings[name]));
      if (!rule) return true;
      await step(rule, false);
    }
    return false;
  }
  return { counts, run };
}

const REQUESTS_A_STEP = 120;
// two of the rules have no max_age
const GRACE = ["--grace", "14d"];
const MOST_STEPS = 12;
const LEAVES_EVERY = 6;
