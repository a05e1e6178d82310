// Adds the figures of a run to those of earlier ones of the same source, and writes RESULTS.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { Failure, asked } from "../../src/build/progress.mjs";
import { root } from "../../src/build/tools.mjs";
import { BUILT, FOLDER } from "./engine.mjs";

const FIGURES = path.join(BUILT, "figures.json");
const FUZZED = ["src/core", "src/cli", "tests/fuzz/src", "tests/fuzz/targets", "tests/fuzz/Cargo.toml", "tests/fuzz/Cargo.lock"];

/** What is fuzzed, by git; a source that is not committed has no name. */
export async function source() {
  const changed = await asked("git", ["status", "--porcelain", "--", ...FUZZED], { cwd: root });
  if (changed === null) throw new Failure("--record needs git");
  if (changed !== "") throw new Failure("--record is for a source that is committed", changed);
  const trees = await asked("git", ["rev-parse", ...FUZZED.map((name) => `HEAD:${name}`)], { cwd: root });
  const commit = await asked("git", ["rev-parse", "--short", "HEAD"], { cwd: root });
  return { trees, commit };
}

/** Adds runs to the figures of the same source; those of another are dropped. */
export async function record({ trees, commit }, runs) {
  const known = existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, "utf8")) : {};
  const all = known.trees === trees ? known : { trees, commit, targets: {} };
  for (const { target, executions, seconds, edges, corpus, failed } of runs) {
    const sum = (all.targets[target] ??= { runs: 0, executions: 0, seconds: 0, edges: 0, corpus: 0, failed: 0 });
    sum.runs += 1;
    sum.executions += executions;
    sum.seconds += seconds;
    sum.failed += failed ? 1 : 0;
    sum.edges = Math.max(sum.edges, edges);
    sum.corpus = Math.max(sum.corpus, corpus);
  }
  mkdirSync(BUILT, { recursive: true });
  writeFileSync(FIGURES, JSON.stringify(all));
  const compiler = await asked("rustc", ["--version"], { cwd: root });
  const file = path.join(FOLDER, "RESULTS.md");
  const kept = existsSync(file) ? /^## Earlier[^]*/m.exec(readFileSync(file, "utf8"))?.[0] : undefined;
  writeFileSync(file, text(all, compiler) + (kept ? `\n${kept}` : ""));
}

function text(all, compiler) {
  const whole = (number) => Math.round(number).toLocaleString("en");
  const rows = Object.entries(all.targets).sort();
  const total = rows.reduce((sum, [, one]) => sum + one.executions, 0);
  const seconds = rows.reduce((sum, [, one]) => sum + one.seconds, 0);
  const row = ([target, one]) =>
    [target, one.runs, whole(one.executions), whole(one.seconds), whole(one.executions / one.seconds), whole(one.edges), whole(one.corpus), one.failed];
  const table = [
    ["target", "runs", "executions", "seconds", "executions a second", "edges", "corpus", "found"],
    ["---", "---:", "---:", "---:", "---:", "---:", "---:", "---:"],
    ...rows.map(row),
  ];
  return `# What fuzzing found

Written by \`npm run fuzz -- --record\`: the sum of all runs of one source, on one machine. Seconds are those of the clock,
so the executions a second tell what else the machine did. Edges and corpus are the most of any run. "Found" counts the
runs that ended with an input that fails.

- Source: ${all.commit}, and every later commit in which ${FUZZED.map((name) => `\`${name}\``).join(", ")} are the same.
- Compiler: ${compiler}.
- Machine: ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}.
- In all: ${whole(total)} executions in ${whole(seconds)} s.

${table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}
`;
}
