// Fuzzes (`npm run fuzz`): libFuzzer on each target of targets/, compiled with coverage by the stable compiler.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, asked, eachLine, run, shown, step } from "../../src/build/progress.mjs";
import { inRoot, rust } from "../../src/build/tools.mjs";

const HELP = `npm run fuzz [-- MINUTES] [-- --target NAME] [-- --replay]

Fuzzes every target of tests/fuzz for MINUTES in all (5), and adds what it finds to target/fuzz/corpus.

  --target NAME    this one alone
  --seconds N      each target for N seconds, in place of MINUTES
  --replay         run the corpus of tests/fuzz/corpus, and nothing new
  --minimise       write the smallest corpus with the same coverage to tests/fuzz/corpus
  --help           this text

An input that fails is written to target/fuzz/failures.`;

// What cargo-fuzz asks the compiler for, the sanitizer of memory aside: there is no unsafe code to look into.
const COVERAGE = [
  "--cfg=fuzzing",
  "-Cpasses=sancov-module",
  ...["level=4", "inline-8bit-counters", "pc-table", "trace-compares"].map(
    (what) => `-Cllvm-args=-sanitizer-coverage-${what}`,
  ),
];
const FOLDER = inRoot("tests/fuzz");
const KEPT = path.join(FOLDER, "corpus");
const BUILT = inRoot("target/fuzz");
const FOUND = path.join(BUILT, "corpus");
const FAILURES = path.join(BUILT, "failures");
const LONGEST = 2048;
const SLOWEST_S = 10;
const LINES_OF_A_FAILURE = 60;

const OPTIONS = {
  target: { type: "string" },
  seconds: { type: "string" },
  replay: { type: "boolean", default: false },
  minimise: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

run(async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const targets = chosen(values.target);
  await rust();
  const triple = await host();
  await step("fuzz targets", "cargo", build(triple), { cwd: FOLDER, env: environment() });
  const program = (target) => path.join(BUILT, triple, "release", target);
  if (values.minimise) return minimise(targets, program);
  const jobs = targets.map((target) => () => fuzz(target, program(target), arguments_(values, positionals, targets.length)));
  await inParallel(jobs, values.replay ? 1 : availableParallelism());
});

function chosen(name) {
  const all = readdirSync(path.join(FOLDER, "targets")).map((file) => path.basename(file, ".rs"));
  if (name === undefined) return all;
  if (all.includes(name)) return [name];
  throw new Failure(`there is no target ${name}`, `there are ${all.join(", ")}`);
}

async function host() {
  const said = await asked("rustc", ["-vV"], { cwd: FOLDER });
  return /^host: (.+)$/m.exec(said)[1];
}

// A target triple keeps the flags off build scripts and macros.
const build = (triple) => ["build", "--release", "--locked", "--target", triple, "--target-dir", BUILT];
const environment = () => ({ CARGO_ENCODED_RUSTFLAGS: COVERAGE.join("\x1f") });

function arguments_({ replay, seconds }, [minutes = "5"], count) {
  if (replay) return ["-runs=0"];
  const each = seconds === undefined ? (Number(minutes) * 60 * availableParallelism()) / count : Number(seconds);
  if (!(each > 0)) throw new Failure("the time is a number above 0", "npm run fuzz -- 5");
  return [`-max_total_time=${Math.ceil(each)}`];
}

/** Runs one; what it prints is shown where it fails, and its figures where it does not. */
async function fuzz(target, program, args) {
  const [found, kept] = [path.join(FOUND, target), path.join(KEPT, target)];
  for (const folder of [found, kept, FAILURES]) mkdirSync(folder, { recursive: true });
  const common = [`-max_len=${LONGEST}`, `-timeout=${SLOWEST_S}`, `-artifact_prefix=${FAILURES}/${target}-`];
  const where = args.includes("-runs=0") ? [kept] : [found, kept];
  const lines = [];
  const child = spawn(program, [...common, ...args, "-print_final_stats=1", ...where], {
    cwd: FOLDER,
    stdio: ["ignore", "ignore", "pipe"],
  });
  eachLine(child.stderr, (line) => lines.push(line));
  const [code] = await once(child, "close");
  if (code !== 0) {
    console.error(lines.slice(-LINES_OF_A_FAILURE).join("\n"));
    throw new Failure(`${target} found something`, `the input is in ${FAILURES}: ${program} FILE runs it again`);
  }
  const executions = /number_of_executed_units: (\d+)/.exec(lines.join("\n"))?.[1] ?? 0;
  const coverage = /cov: (\d+)/.exec(lines.findLast((line) => line.includes("cov: ")) ?? "")?.[1] ?? "?";
  console.log(`fuzz ${target}: ${executions} executions, ${coverage} edges, nothing found`);
}

async function inParallel(jobs, workers) {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: workers }, work));
}

async function minimise(targets, program) {
  for (const target of targets) {
    const kept = path.join(KEPT, target);
    rmSync(kept, { recursive: true, force: true });
    mkdirSync(kept, { recursive: true });
    const code = await shown(program(target), ["-merge=1", `-max_len=${LONGEST}`, kept, path.join(FOUND, target)]);
    if (code !== 0) throw new Failure(`the corpus of ${target} was not written`);
  }
}
