// Fuzzes (`npm run fuzz`): libFuzzer on each target of targets/, compiled with coverage by the stable compiler.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Failure, run } from "../../src/build/progress.mjs";
import { rust } from "../../src/build/tools.mjs";
import { found, minimise, unpacked } from "./corpus.mjs";
import { FAILURES, build, chosen, fuzz, inParallel } from "./engine.mjs";
import { plant } from "./planted.mjs";
import { record, source } from "./results.mjs";

const HELP = `npm run fuzz [-- MINUTES] [-- --target NAME] [-- --replay]

Fuzzes every target of tests/fuzz for MINUTES in all (5). First it runs what tests/fuzz/corpus keeps; what it finds
is added to target/fuzz/corpus.

  --target NAME    this one alone
  --seconds N      each target for N seconds, in place of MINUTES
  --seed N         the order of what is tried [default: another each time]
  --workers N      N targets at a time [default: one for each core]
  --low            at the lowest priority
  --record         add the figures to tests/fuzz/RESULTS.md
  --replay         run the corpus of tests/fuzz/corpus, and nothing new
  --minimise       write the smallest corpus with the same coverage to tests/fuzz/corpus
  --planted        plant each fault of tests/fuzz/planted.json in a copy, and see whether it is caught in 60 s
  --fault NAME     with --planted: this one alone
  --help           this text

An input that fails is written to target/fuzz/failures.`;

const LINES_OF_A_FAILURE = 60;

const OPTIONS = {
  target: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string", default: "0" },
  workers: { type: "string" },
  fault: { type: "string" },
  ...Object.fromEntries(
    ["low", "record", "replay", "minimise", "planted", "help"].map((name) => [name, { type: "boolean", default: false }]),
  ),
};

run(async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const targets = chosen(values.target);
  const workers = above0(values.workers ?? availableParallelism(), "npm run fuzz -- --workers 1");
  await rust();
  if (values.planted) return plant(values.fault);
  const fuzzed = values.record ? await source() : undefined;
  const program = await build();
  if (values.minimise) {
    for (const target of targets) await minimise(target, program(target));
    return;
  }
  const limit = values.replay ? "-runs=0" : `-max_total_time=${secondsOf(values, positionals, targets.length, workers)}`;
  const runs = [];
  const job = (target) => async () => runs.push(await fuzzOne(target, program(target), [limit, `-seed=${Number(values.seed)}`], values));
  await inParallel(targets.map(job), workers);
  if (fuzzed) await record(fuzzed, runs);
  report(runs);
});

function secondsOf({ seconds }, [minutes = "5"], count, workers) {
  if (seconds !== undefined) return Math.ceil(above0(seconds, "npm run fuzz -- --seconds 20"));
  return Math.ceil((above0(minutes, "npm run fuzz -- 5") * 60 * Math.min(workers, count)) / count);
}

function above0(text, example) {
  const number = Number(text);
  if (!(number > 0)) throw new Failure(`${text}: expected a number above 0`, example);
  return number;
}

/** Runs one; what it prints is shown where it fails, and its figures where it does not. */
async function fuzzOne(target, program, limits, { low, replay }) {
  const folders = replay ? [unpacked(target)] : [found(target), unpacked(target)];
  const result = await fuzz(program, target, limits, folders, { isLow: low });
  const failed = result.code !== 0;
  if (failed) console.error(result.lines.slice(-LINES_OF_A_FAILURE).join("\n"));
  const { executions, edges, seconds } = result;
  const end = failed ? "an input fails" : "nothing found";
  console.log(`fuzz ${target}: ${executions} executions in ${seconds.toFixed(1)} s, ${edges} edges, ${end}`);
  return { target, failed, program, ...result };
}

function report(runs) {
  const sum = (of) => runs.reduce((all, one) => all + of(one), 0);
  const failed = runs.filter((one) => one.failed);
  console.log(`fuzz: ${runs.length} targets, ${sum((one) => one.executions)} executions, ${failed.length} with a failure`);
  if (failed.length === 0) return;
  throw new Failure(
    `${failed.map((one) => one.target).join(", ")} found something`,
    `the input is in ${FAILURES}: ${failed[0].program} FILE runs it again`,
  );
}
