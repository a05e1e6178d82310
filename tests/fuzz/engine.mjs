// Builds the fuzz targets, and runs one by libFuzzer.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import path from "node:path";
import { Failure, asked, eachLine, step } from "../../src/build/progress.mjs";
import { inRoot } from "../../src/build/tools.mjs";

// What cargo-fuzz asks the compiler for, the sanitizer of memory aside: there is no unsafe code to look into.
const COVERAGE = [
  "--cfg=fuzzing",
  "-Cpasses=sancov-module",
  ...["level=4", "inline-8bit-counters", "pc-table", "trace-compares"].map(
    (what) => `-Cllvm-args=-sanitizer-coverage-${what}`,
  ),
];
export const FOLDER = inRoot("tests/fuzz");
export const BUILT = inRoot("target/fuzz");
export const FAILURES = path.join(BUILT, "failures");
export const LONGEST = 2048;
const SLOWEST_S = 20;

export const TARGETS = readdirSync(path.join(FOLDER, "targets")).map((file) => path.basename(file, ".rs"));

/** Compiles all targets; answers where the program of one is. */
export async function build({ folder = FOLDER, into = BUILT, args = [], env = {} } = {}) {
  const said = await asked("rustc", ["-vV"], { cwd: folder });
  const triple = /^host: (.+)$/m.exec(said)[1];
  // a target triple keeps the flags off build scripts and macros
  const all = ["build", "--release", "--locked", "--target", triple, "--target-dir", into, ...args];
  await step("fuzz targets", "cargo", all, {
    cwd: folder,
    env: { CARGO_ENCODED_RUSTFLAGS: COVERAGE.join("\x1f"), ...env },
  });
  return (target) => path.join(into, triple, "release", target);
}

/** Runs a program on folders of inputs; answers its exit code, its last lines and its figures. */
export async function fuzz(program, target, args, folders, { isLow = false, env = {} } = {}) {
  mkdirSync(FAILURES, { recursive: true });
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const common = [`-max_len=${LONGEST}`, `-timeout=${SLOWEST_S}`, `-artifact_prefix=${FAILURES}/${target}-`];
  const began = Date.now();
  const child = spawn(program, [...common, ...args, "-print_final_stats=1", ...folders], {
    cwd: FOLDER,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (isLow) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const lines = [];
  eachLine(child.stderr, (line) => lines.push(line));
  const [code, signal] = await once(child, "close");
  const last = lines.findLast((line) => /cov: \d+/.test(line)) ?? "";
  const figure = (pattern, text = lines.join("\n")) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    code: code ?? signal,
    lines,
    seconds: (Date.now() - began) / 1000,
    executions: figure(/number_of_executed_units: (\d+)/),
    edges: figure(/cov: (\d+)/, last),
    corpus: figure(/corp: (\d+)/, last),
  };
}

/** Runs so many jobs at once. */
export async function inParallel(jobs, workers) {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** One of the targets, or all. */
export function chosen(name) {
  if (name === undefined) return TARGETS;
  if (TARGETS.includes(name)) return [name];
  throw new Failure(`there is no target ${name}`, `there are ${TARGETS.join(", ")}`);
}
