// Measures what Countersign costs (`npm run bench`), side by side with what it is compared with, and writes RESULTS.md.
// `--quick` takes about a minute, `--only workers|native|start-up` a part, `--cases ID,ID` some cases, and
// `--beside FOLDER` measures another build of the Worker in the same rounds: these only print.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { Failure, asked, run, shown } from "../../src/build/progress.mjs";
import { inRoot, node, npmPackages, root, testPackages } from "../../src/build/tools.mjs";
import { measuredAlone } from "./alone.mjs";
import { CASES } from "./cases.mjs";
import { native } from "./native.mjs";
import { origin } from "./origin.mjs";
import { plot } from "./plot.mjs";
import { aloneTable, costPanels, nativeTables, startUpTables, targets, targetsTable, workersTables } from "./report.mjs";
import { addBuild } from "./runtime.mjs";
import { coldStarts, living, memory } from "./start-up.mjs";
import { measured, started, stopped } from "./workers.mjs";

const FULL = {
  workers: { rounds: 250, requests: 250, warmUp: 6_000, seconds: 240 },
  alone: { times: 3_000, rounds: 9 },
  native: { seconds: 0.2, repeats: 50 },
  starts: 20,
  marks: [1_000, 10_000, 50_000, 100_000],
};
const QUICK = {
  workers: { rounds: 8, requests: 150, warmUp: 2_000, seconds: 30 },
  alone: { times: 500, rounds: 3 },
  native: { seconds: 0.02, repeats: 5 },
  starts: 3,
  marks: [1_000, 5_000],
};
const OPTIONS = {
  quick: { type: "boolean" },
  only: { type: "string" },
  cases: { type: "string" },
  beside: { type: "string", multiple: true, default: [] },
};
/** What is written beside RESULTS.md. */
const files = {};
const PARTS = { workers, native: nativePart, "start-up": startUp };

run(async () => {
  const { quick, only, cases: ids, beside } = parseArgs({ options: OPTIONS }).values;
  if (only && !PARTS[only]) {
    throw new Failure(`--only ${only}: no such part`, `one of ${Object.keys(PARTS).join(", ")}`);
  }
  beside.forEach(addBuild);
  const cases = ids ? CASES.filter(({ id }) => ids.split(",").includes(id)) : CASES;
  if (cases.length === 0) throw new Failure(`--cases ${ids}: none`, `some of ${CASES.map(({ id }) => id).join(",")}`);
  const parts = only ? [only] : Object.keys(PARTS);
  node();
  await npmPackages();
  await testPackages();
  if (parts.some((part) => part !== "native")) await built();
  const about = await machine();
  const sections = [];
  for (const part of parts) {
    sections.push(await PARTS[part](quick ? QUICK : FULL, cases));
    console.log(`\n${sections.at(-1)}`); // the next part may fail
  }
  const text = ["# What a request costs", "Written by `npm run bench`.", about(), ...sections].join("\n\n") + "\n";
  if (quick || only || ids || beside.length) return console.log("A part or a quick run: tests/bench/RESULTS.md stays as it is.");
  for (const [name, written] of Object.entries({ ...files, "RESULTS.md": text })) {
    writeFileSync(inRoot("tests/bench", name), written);
  }
});

async function built() {
  const code = await shown(process.execPath, [inRoot("src/build/build.mjs")], { cwd: root });
  if (code !== 0) throw new Failure("the Worker cannot be built", "npm run build");
}

async function workers({ workers: plan, alone: planAlone }, cases) {
  const site = await origin();
  const running = await started(cases, site.port);
  try {
    const results = await measured(cases, running, site, { ...plan, progress });
    const rounds = [...results.values()][0].countersign.length;
    const how =
      `The standalone workerd with one Worker each, ${rounds} rounds of ${plan.requests} requests on 16 connections for ` +
      "each case and Worker in turns. CPU is that of workerd's process, its threads together, so that load generator and " +
      "origin do not count. Every answer and every request that the origin was sent was compared with what it should be.";
    const alone = await measuredAlone(cases, site.port, { ...planAlone, progress });
    const howAlone =
      `The Workers alone, in µs: each called ${planAlone.times} times in one request, ${planAlone.rounds} times in turns, ` +
      "the origin stood in for. That leaves out connections, and caches that others have filled; least / median:";
    const table = targetsTable(targets(results, alone));
    return ["## The Worker", how, table, workersTables(results), howAlone, aloneTable(alone)].join("\n\n");
  } finally {
    await stopped(running);
    site.stop();
  }
}

async function nativePart({ native: plan }) {
  const figures = await native(plan);
  files["cost.svg"] = plot(costPanels(figures));
  return `## The core natively\n\n${nativeTables(figures)}`;
}

async function startUp({ starts, marks }) {
  const site = await origin();
  try {
    const sides = await coldStarts(site, starts, progress);
    const [kept, live] = [await memory(site, marks, progress), await living(site, marks, progress)];
    return `## Start-up and memory\n\n${startUpTables(sides, marks, kept, live)}`;
  } finally {
    site.stop();
  }
}

/** The machine and the versions; the load of others is told for the beginning and for the end. */
async function machine() {
  const busy = () => loadavg()[0].toFixed(1);
  const [before, commit, rustc] = [
    busy(),
    await asked("git", ["rev-parse", "--short", "HEAD"], { cwd: root }),
    await asked("rustc", ["--version"], { cwd: root }),
  ];
  const { version } = JSON.parse(readFileSync(inRoot("node_modules/workerd/package.json"), "utf8"));
  const hardware = `${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
  return () =>
    [
      `- ${hardware}; load before ${before}, after ${busy()}`,
      `- commit ${commit ?? "unknown"}, workerd ${version}, Node ${process.versions.node}, ${rustc}`,
    ].join("\n");
}

function progress(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K· ${text}`);
}
