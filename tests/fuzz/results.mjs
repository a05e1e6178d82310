// The figures of the campaigns, added up by target and commit in RESULTS.md.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { asked } from "../../src/build/progress.mjs";
import { inRoot } from "../../src/build/tools.mjs";

const FILE = inRoot("tests/fuzz/RESULTS.md");
const FUZZED = ["src/core", "src/cli", "tests/fuzz/src", "tests/fuzz/targets"];

/** Adds figures to those that stand there. */
export async function record(figures) {
  const commit = (await asked("git", ["log", "-1", "--format=%h", "--", ...FUZZED], { cwd: inRoot() })).trim();
  const rows = new Map();
  if (existsSync(FILE)) for (const row of readFileSync(FILE, "utf8").matchAll(ROW)) add(rows, asRow(row));
  for (const one of figures) add(rows, { ...one, commit });
  writeFileSync(FILE, text([...rows.keys()].sort().map((key) => rows.get(key))));
}

function add(rows, { target, commit, executions, seconds, edges, inputs }) {
  const key = `${target} ${commit}`;
  const row = rows.get(key) ?? { executions: 0, seconds: 0, edges: 0, inputs: 0 };
  rows.set(key, {
    target,
    commit,
    executions: row.executions + executions,
    seconds: row.seconds + Math.round(seconds),
    edges: Math.max(row.edges, edges),
    inputs: Math.max(row.inputs, inputs),
  });
}

const ROW = /^\| ([a-z_]+) \| ([0-9a-f]+) \| ([\d,]+) \| ([\d,]+) \| [\d,]+ \| ([\d,]+) \| ([\d,]+) \|$/gm;

function asRow([, target, commit, ...numbers]) {
  const [executions, seconds, edges, inputs] = numbers.map((text) => Number(text.replaceAll(",", "")));
  return { target, commit, executions, seconds, edges, inputs };
}

const shown = (value) => Math.round(value).toLocaleString("en-US");

function line({ target, commit, executions, seconds, edges, inputs }) {
  const numbers = [executions, seconds, executions / Math.max(seconds, 1), edges, inputs];
  return `| ${[target, commit, ...numbers.map(shown)].join(" | ")} |`;
}

const text = (rows) => `# The campaigns of the fuzz targets

${shown(rows.reduce((all, { executions }) => all + executions, 0))} executions in all; nothing is open that they found. Written by \`npm run fuzz -- MINUTES --record\`, which adds to what stands here. Often other work ran beside it, on ${cpus().length} cores of ${cpus()[0].model.trim()}.

| target | commit | executions | seconds | a second | edges | inputs |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
${rows.map(line).join("\n")}
`;
