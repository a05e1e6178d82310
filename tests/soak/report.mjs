// What a run of the soak has shown, in lines, and whether that is what it must show.
/** The lines of the end, and what was wrong: `{lines, wrong}`. */
export function report({ seconds, crowd, world, slots, rotations, seed, plant, planted }) {
  const { figures } = world;
  const sites = Object.groupBy(crowd.everyone, ({ site }) => site.host.split(".")[0]);
  const bySite = Object.entries(sites).map(([name, some]) => `${name} ${some.length}`);
  const memory = slots.map(lives);
  const shifts = slots.flatMap((slot) => slot.shifts);
  const account = compared(slots);
  const failed = failedAnswers(figures.answers);
  const lines = [
    ["requests", `${figures.requests}, ${Math.round(figures.requests / seconds)} a second, in ${Math.round(seconds)} s`],
    ["sessions", `${crowd.everyone.length}: ${bySite.join(", ")}`],
    ["sessions lost", figures.lost],
    ["answers wrong", figures.wrong],
    ["unverified values seen by an origin", `${figures.unverified}, of ${figures.shown} managed cookies`],
    ["cookies given to browsers", `${figures.given}, of which not by the version's current key: ${figures.misgiven}`],
    ["attacks", table(world.attacks)],
    ["attacks that got in", figures.entered],
    ["rotations", table(rotations.counts.done)],
    ["with two versions live", `${figures.mixed} requests`],
    ["clocks of the processes", `up to ${Math.max(...shifts) - Math.min(...shifts)} s apart`],
    ["rolled back on the way", rotations.counts.rolledBack],
    ["not done, since it is unsafe", table(rotations.counts.refused)],
    ...Object.entries(world.faults).map(([kind, one]) => [
      `fault: ${kind}`,
      `${one.times} times, met by ${one.met} sessions, ${one.survived} of them known afterwards`,
    ]),
    ["answers by status", table(figures.answers)],
    ["answers that failed", `${failed}, of which no fault explains: ${figures.unexplained}`],
    ...memory.map(({ text }, at) => [`memory of process ${at}`, text]),
    ["ledger", account.text],
    ["other findings", figures.others],
    ["seed", seed],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const wrong = [
    ...["lost", "wrong", "unverified", "misgiven", "entered", "unexplained", "others"].filter((name) => figures[name] > 0),
    ...(account.isRight ? [] : ["ledger"]),
    ...(memory.every(({ isFlat }) => isFlat) ? [] : ["memory"]),
  ];
  const head = plant ? [`planted: ${plant}${planted ? `, ${planted} times` : ""}`] : [];
  return { lines: [...head, ...lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`)], wrong };
}

/** The longest life of a process: what it had in memory soon after its start, at half, and at its end. */
function lives({ lives }) {
  const [longest = []] = lives.filter((life) => life.length >= 3).sort((a, b) => span(b) - span(a));
  if (longest.length < 3) return { text: "not measured", isFlat: true };
  const last = longest.at(-1);
  const half = longest.find(({ requests }) => requests >= last.requests / 2);
  const [a, b, c] = [longest[0], half, last].map(({ kib }) => Math.round(kib / 1024));
  const start = `${a} MiB after ${longest[0].requests} requests`;
  const later = `${b} MiB after ${half.requests}, ${c} MiB after ${last.requests}`;
  const most = Math.round(NOISE_MIB + ((last.requests - half.requests) * KEPT_BY_WORKERD_KIB) / 1024);
  const text = `${start}, ${later}; the longest of ${lives.length} lives, its second half at most +${most} MiB`;
  return { text, isFlat: c - b <= most };
}

const span = (life) => life.at(-1).requests - life[0].requests;

/** What the ledgers had at last, and where one of them, whenever it was read, did not have what was sent. */
function compared(slots) {
  const sum = (counts) => counts.reduce((all, one) => all + one, 0);
  const total = (field) => sum(slots.flatMap(({ counts }) => Object.values(counts[field])));
  const off = slots.flatMap(({ mismatches }) => mismatches);
  const lost = `${total("lost")} more were sent and went down with a process`;
  const text = `${total("sent")} uses of keys told; ${lost}; ${off.length} differ`;
  return { text: [text, ...off.slice(0, MOST_SHOWN)].join("\n  "), isRight: off.length === 0 };
}

function failedAnswers(answers) {
  const failed = Object.entries(answers).filter(([status]) => status === "none" || status >= 500);
  return failed.reduce((sum, [, count]) => sum + count, 0);
}

const table = (sums) => Object.entries(sums).map(([name, count]) => `${count} ${name}`).join(", ") || "none";

// The runtime itself keeps something of each connection: with a Worker that does nothing, one process went from 80 to
// 193 MiB in 18,000 requests, each with a connection of its own on either side; with this one, from 99 to 209.
// (tests/e2e/memory.test.mjs asks V8 itself, and finds that an isolate keeps nothing.)
const KEPT_BY_WORKERD_KIB = 10;
const NOISE_MIB = 20;
const MOST_SHOWN = 10;
