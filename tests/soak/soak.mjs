// One run of the soak: real sites, the real workerd in several processes, a crowd, an operator, and what goes wrong.
import { randomness } from "../e2e/harness/fleet.mjs";
import { sensitive } from "../e2e/harness/leaks.mjs";
import { tcpSwitch } from "../e2e/harness/switch.mjs";
import { crowd as newCrowd } from "./crowd.mjs";
import { misfortunes } from "./faults.mjs";
import { operator as newOperator } from "./operator.mjs";
import { door as newDoor, sites as newSites } from "./origin.mjs";
import { damage, plants } from "./plants.mjs";
import { processes } from "./processes.mjs";
import { report } from "./report.mjs";
import { rotations as newRotations } from "./rotations.mjs";
import { world as newWorld } from "./world.mjs";

/**
 * Runs for so many seconds, with the Worker that stands in the folder `worker`; `say` gets a line from time to time.
 * Answers what report.mjs makes of it, and the `problems`.
 */
export async function soak(options) {
  const ends = [];
  const t = { after: (end) => ends.unshift(end) };
  try {
    return await run({ t, ...options });
  } finally {
    for (const end of ends) await end();
  }
}

async function run({ t, seconds, seed, sessions, plant, worker, say }) {
  const chance = (name) => randomness(`${seed} ${name}`);
  const operator = await newOperator();
  let planted = 0;
  const onPlanted = () => (planted += 1);
  const world = newWorld({ keys: operator.secrets, plants: plants(plant, onPlanted) });
  world.live = await operator.version("the first");
  const sites = await newSites(t, operator.secrets);
  const door = await newDoor(t, { sites, onRequest: world.shown, faultOf: world.faultOf });
  const edge = { origin: door, worker, version: world.live, random: chance("clocks"), plant };
  const slots = await processes(t, { count: PROCESSES, ...edge });
  world.deployed = () => slots.map(({ version }) => version.label);
  const front = await tcpSwitch({
    choose: chooser(slots, chance("switch")),
    onRequest: world.handedOver,
    onEnd: world.ended,
    change: damage(plant, { isRead: world.isRead, planted: onPlanted }),
  });
  t.after(front.stop);
  world.port = front.port;

  const crowd = newCrowd({ sessions, seed, world });
  await crowd.begin();
  const acted = { operator, crowd, slots, world, random: chance("operator") };
  const rotations = newRotations({ ...acted, plant, planted: onPlanted });
  const began = Date.now();
  const passed = () => (Date.now() - began) / 1000;
  const isEnough = () => world.problems.length > 0 || MUST_HAVE.every((kind) => rotations.counts.done[kind] > 0);
  const quiet = Math.min(LONGEST_QUIET_S, seconds / 6);
  const watch = setInterval(() => slots.forEach((slot) => slot.measure()), MEASURE_MS);
  const progress = setInterval(() => say(progressLine({ began, world, rotations })), PROGRESS_MS);
  const acting = crowd.run();
  const clock = until(() => passed() >= seconds - quiet && isEnough())
    .then(() => (world.isQuiet = true))
    .then(() => until(() => passed() >= seconds))
    .then(() => (world.isOver = true));
  try {
    const faults = misfortunes({ slots, door, world, random: chance("faults") });
    await Promise.race([acting, Promise.all([clock, rotations.run(), faults])]);
  } finally {
    Object.assign(world, { isOver: true, isQuiet: true });
    clearInterval(watch);
    clearInterval(progress);
  }
  crowd.end();
  await acting;
  slots.forEach((slot) => slot.measure());
  await crowd.look();
  for (const slot of slots) await slot.finish();
  for (const { jar } of crowd.everyone) jar.forEach(sensitive); // none stands in a log, which is looked at when all ends
  const told = report({ seconds: passed(), crowd, world, slots, rotations, seed, plant, planted });
  return { ...told, problems: world.problems };
}

/** A process that takes requests; one that was killed still gets some. */
function chooser(slots, random) {
  return () => {
    const ready = slots.filter(({ isDraining, isDown }) => !isDraining && (!isDown || random() < 0.1));
    const some = ready.length ? ready : slots;
    return some[Math.floor(random() * some.length)];
  };
}

function progressLine({ began, world, rotations }) {
  const { requests, lost, wrong, unverified, unexplained } = world.figures;
  const done = Object.values(rotations.counts.done).reduce((sum, one) => sum + one, 0);
  const seconds = Math.round((Date.now() - began) / 1000);
  const problems = `${lost} lost, ${wrong} wrong, ${unverified} unverified, ${unexplained} unexplained`;
  return `${seconds} s: ${requests} requests, ${done} deployments, ${problems}`;
}

async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 100));
}

const PROCESSES = 3;
// without them a run says little, on however slow a machine
const MUST_HAVE = ["stage", "promote", "retire"];
const LONGEST_QUIET_S = 120;
const MEASURE_MS = 1_000;
const PROGRESS_MS = 10_000;
