// Compiles the fuzz targets and runs libFuzzer on them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { Failure, asked, eachLine, step } from "../../src/build/progress.mjs";
import { inRoot } from "../../src/build/tools.mjs";
import { keep, unpacked } from "./corpus.mjs";

// What cargo-fuzz asks the compiler for, the sanitizer of memory aside: there is no unsafe code to look into.
const COVERAGE = [
  "--cfg=fuzzing",
  "-Cpasses=sancov-module",
  ...["level=4", "inline-8bit-counters", "pc-table", "trace-compares"].map(
    (what) => `-Cllvm-args=-sanitizer-coverage-${what}`,
  ),
];
const BUILT = inRoot("target/fuzz");
const FOUND = path.join(BUILT, "corpus");
const FAILURES = path.join(BUILT, "failures");
const LONGEST = 2048;
const SLOWEST_S = 10;
const LINES_OF_A_FAILURE = 20;

export const targets = readdirSync(inRoot("tests/fuzz/targets")).map((file) => path.basename(file, ".rs"));

/** Compiles the targets of a checkout, this one or a copy; answers where a target's program is. `env` adds to cargo's. */
export async function built(label, checkout = inRoot(), env = {}) {
  const cwd = path.join(checkout, "tests/fuzz");
  const said = await asked("rustc", ["-vV"], { cwd });
  const triple = /^host: (.+)$/m.exec(said)[1];
  const folder = path.join(checkout, "target/fuzz");
  // a target triple keeps the flags off build scripts and macros
  const args = ["build", "--release", "--locked", "--target", triple, "--target-dir", folder];
  await step(label, "cargo", args, { cwd, env: { ...env, CARGO_ENCODED_RUSTFLAGS: COVERAGE.join("\x1f") } });
  return (target) => path.join(folder, triple, "release", target);
}

/**
 * Fuzzes a target for so many seconds, or runs what is kept once where they are 0. Answers `{target, executions,
 * seconds, edges, inputs}`, and `failure`, the last lines that it wrote, where something was found.
 */
export async function fuzzed(target, program, seconds, signal) {
  const found = path.join(FOUND, target);
  for (const folder of [found, FAILURES]) mkdirSync(folder, { recursive: true });
  const common = [`-max_len=${LONGEST}`, `-timeout=${SLOWEST_S}`, `-artifact_prefix=${FAILURES}/${target}-`];
  const what =
    seconds > 0 ? [`-max_total_time=${seconds}`, found, unpacked(target)] : ["-runs=0", unpacked(target)];
  const began = Date.now();
  const lines = [];
  const child = spawn(program, [...common, "-print_final_stats=1", ...what], {
    cwd: inRoot("tests/fuzz"),
    env: { ...process.env, RUST_BACKTRACE: "0" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop);
  eachLine(child.stderr, (line) => lines.push(line));
  const [code] = await once(child, "close");
  signal?.removeEventListener("abort", stop);
  const text = lines.join("\n");
  const covered = lines.findLast((line) => line.includes(" cov: ")) ?? "";
  return {
    target,
    seconds: (Date.now() - began) / 1000,
    executions: Number(/number_of_executed_units: (\d+)/.exec(text)?.[1] ?? 0),
    edges: Number(/cov: (\d+)/.exec(covered)?.[1] ?? 0),
    inputs: Number(/corp: (\d+)/.exec(covered)?.[1] ?? 0),
    ...(code !== 0 && !signal?.aborted && { failure: reason(lines) }),
  };
}

/** What the panic said, or libFuzzer where there was none. */
function reason(lines) {
  const at = lines.findIndex((line) => line.includes("panicked at"));
  const end = lines.findIndex((line) => line.startsWith("note: run with `RUST_BACKTRACE"));
  const panic = lines.slice(at + 1, end < 0 ? undefined : end);
  const said = at < 0 ? lines.filter((line) => line.includes("libFuzzer")) : panic;
  return said.slice(0, LINES_OF_A_FAILURE).join("\n");
}

/** Does the jobs, so many at a time. */
export async function inParallel(jobs, workers = availableParallelism()) {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** Keeps the smallest corpus that covers what has been covered; answers how large it is. */
export async function minimised(target, program) {
  const least = path.join(BUILT, "least", target);
  rmSync(least, { recursive: true, force: true });
  mkdirSync(least, { recursive: true });
  const from = [path.join(FOUND, target), unpacked(target)];
  for (const folder of from) mkdirSync(folder, { recursive: true });
  const child = spawn(program, ["-set_cover_merge=1", `-max_len=${LONGEST}`, least, ...from], {
    cwd: inRoot("tests/fuzz"),
    stdio: "ignore",
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Failure(`the corpus of ${target} was not written`);
  return keep(target, least);
}
