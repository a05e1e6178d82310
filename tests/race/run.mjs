// Measures the upgrade race (`npm run race`): two tabs of a real Chromium, one of which logs out while a page of the
// other is under way, over a network that is slow both ways. Counts how often an upgrade brings the session back.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Failure, asked, run, shown } from "../../src/build/progress.mjs";
import { inRoot, npmPackages, testPackages, venv } from "../../src/build/tools.mjs";
import { chromium } from "../e2e/harness/chromium.mjs";
import { drivenBrowser } from "../e2e/harness/devtools.mjs";
import { randomness } from "../e2e/harness/fleet.mjs";
import { around } from "../e2e/harness/ledger.mjs";
import { pinned, SECRETS, SESSION } from "../e2e/harness/settings.mjs";
import { signer } from "../e2e/harness/signer.mjs";
import { worker } from "../e2e/harness/workerd.mjs";
import { site, slowNetwork } from "./network.mjs";

const HELP = `npm run race [-- TRIALS]

Logs out in one tab while a page of the other is under way, TRIALS times (400) for each row, and counts how often the
browser has the session again at the end. Needs Chromium.

  --before FOLDER  an older build of the Worker, with the same trials
  --browsers N     so many browsers at a time (3)
  --seed TEXT      the waits of the trials (race)
  --record         write the table to tests/race/RESULTS.md
  --help           this text`;

const OPTIONS = {
  before: { type: "string", multiple: true, default: [] },
  browsers: { type: "string", default: "3" },
  seed: { type: "string", default: "race" },
  record: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};
const BUILD = inRoot("build");
/** What a rotation does to a visitor who shows a cookie of the older key. */
const CONFIG = pinned({ reports: "none", cookies: [{ ...SESSION, upgrade: "always" }] });

const LEDGER = { ledger: true };
/** A ledger that is so far away in milliseconds. */
const far = (way) => `import worker, { Ledger as Own } from "./built.js";
export class Ledger extends Own {
  async fetch(request) {
    await scheduler.wait(${way});
    const answer = await super.fetch(request);
    await scheduler.wait(${way});
    return answer;
  }
}
export default worker;`;
const SETUPS = [
  { what: "one isolate", isolates: 1 },
  { what: "two isolates at random", isolates: 2 },
  { what: "two isolates at random, with a ledger", isolates: 2, bindings: { LEDGER } },
  { what: "the same, the ledger 30 ms away", isolates: 2, bindings: { LEDGER }, module: far(30) },
];

const cleanups = [];
const t = { after: (cleanup) => cleanups.push(cleanup) };

run(async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const trials = Number(positionals[0] ?? 400);
  if (!(trials > 0)) throw new Failure("the number of trials is above 0", "npm run race -- 400");
  if (!chromium()) throw new Failure("Chromium is not installed", "apt-get install chromium");
  await npmPackages();
  await testPackages();
  await venv("e2e", inRoot("tests/e2e/requirements.txt"));
  if ((await shown(process.execPath, [inRoot("src/build/build.mjs")])) !== 0) throw new Failure("the build failed");
  try {
    const sign = await signer(t);
    const rows = [];
    const before = values.before.map((folder) => [`before (${path.basename(folder)})`, folder]);
    const builds = [["this build", BUILD], ...before];
    for (const [name, build] of builds) {
      for (const { what, module, ...setup } of SETUPS) {
        const modules = module ? around(module, build) : build;
        rows.push([`${name}, ${what}`, await raced({ ...setup, build: modules, trials, sign, values })]);
        console.log(told(rows.at(-1)));
      }
    }
    if (values.record) await record(rows, values);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
});

/** The trials of one row, by several browsers. */
async function raced({ build, isolates, bindings = {}, trials, sign, values }) {
  const origin = await site(t);
  const version = { build, config: CONFIG, secrets: SECRETS, bindings };
  const others = Array.from({ length: isolates - 1 }, (_, at) => [`beside${at}`, version]);
  const edge = await worker(t, { origin, ...version, beside: Object.fromEntries(others) });
  const random = randomness(values.seed);
  const all = Array.from({ length: trials }, () => drawn(random, Object.values(edge.ports)));
  const counts = { trials, answeredFirst: 0, undone: 0, others: 0 };
  const work = async () => {
    const network = await slowNetwork(t);
    const browser = await drivenBrowser(t);
    const tabs = [await browser.page(), await browser.page()];
    for (let trial = all.pop(); trial; trial = all.pop()) {
      const id = String(all.length);
      const cookie = await sign.session("OLD_KEY", { data: { user: "ada", visit: id } });
      network.trial = trial;
      const isUndone = await logsOut(tabs, `http://127.0.0.1:${network.port}`, { ...trial, cookie, id });
      const isAnsweredFirst = origin.last(id) === "/page";
      counts.answeredFirst += isAnsweredFirst;
      counts[isAnsweredFirst ? "undone" : "others"] += isUndone;
    }
  };
  await Promise.all(Array.from({ length: Number(values.browsers) }, work));
  return counts;
}

/** One trial: the waits in milliseconds, most of them short and some long, and where each request comes to. */
function drawn(random, ports) {
  const wait = (median, most) => Math.min(most, median * Math.exp(normal(random)));
  const page = wait(250, 1_900);
  const latency = wait(35, 400);
  const ways = () => [latency * (0.7 + 0.6 * random()), latency * (0.7 + 0.6 * random())];
  const port = () => ports[Math.floor(random() * ports.length)];
  return {
    waits: { "/page": page, "/logout": wait(40, 1_000) },
    later: random() * page,
    delays: { "/page": ways(), "/logout": ways() },
    ports: { "/page": port(), "/logout": port() },
  };
}

/** A number around 0, within 1 of it twice out of three times. */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Opens a page in one tab, then logs out in the other; answers whether the browser has the session at the end. */
async function logsOut([first, second], base, { waits, later, cookie, id }) {
  const url = (path) => `${base}${path}?wait=${Math.round(waits[path])}&id=${id}`;
  await first.send("Network.clearBrowserCookies");
  await first.send("Network.setCookie", { name: "sessionid", value: cookie, url: base, httpOnly: true });
  const page = loaded(first, url("/page"));
  await setTimeout(later);
  await Promise.all([page, loaded(second, url("/logout"))]);
  const { cookies } = await first.send("Network.getAllCookies");
  return cookies.some(({ name }) => name === "sessionid");
}

async function loaded(tab, url) {
  await tab.go(url);
  await tab.until(`document.readyState === "complete" && location.href === ${JSON.stringify(url)}`);
}

const told = ([label, { trials, answeredFirst, undone, others }]) =>
  `race: ${label}: ${trials} logouts; ${answeredFirst} answered before the page, ${undone} of these undone; ` +
  `${others} of the others undone`;

async function record(rows, { seed, browsers }) {
  const commit = await asked("git", ["rev-parse", "--short", "HEAD"], { cwd: inRoot() });
  const line = ([label, { trials, answeredFirst, undone, others }]) =>
    `| ${label} | ${trials} | ${answeredFirst} | ${undone} | ${others} |`;
  const about = `${commit.trim()}, seed ${seed}, ${browsers} browsers`;
  writeFileSync(inRoot("tests/race/RESULTS.md"), text(rows.map(line), about));
}

const text = (lines, about) => `# The upgrade race

Written by \`npm run race -- --record\` (${about}).

A browser shows a session under an older key in two tabs. A page is under way in one, and the other logs out. The page takes 250 ms, the logout 40 ms, each way of the network 35 ms: these are medians of skewed distributions. The tabs have connections of their own (HTTP/1.1), so that answers overtake each other; over one connection of HTTP/2 they come in the order in which the edge sends them. \`upgrade = "always"\`.

| | logouts during a page | logout answered first | of these undone | of the others undone |
| --- | --- | --- | --- | --- |
${lines.join("\n")}
`;
