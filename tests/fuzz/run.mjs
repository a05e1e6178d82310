// Fuzzes (`npm run fuzz`): libFuzzer on each target of targets/, compiled with coverage by the stable compiler.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Failure, run } from "../../src/build/progress.mjs";
import { rust } from "../../src/build/tools.mjs";
import { built, fuzzed, inParallel, minimised, targets } from "./engine.mjs";
import { planted } from "./planted.mjs";
import { record } from "./results.mjs";

const HELP = `npm run fuzz [-- MINUTES] [-- --target NAME] [-- --replay]

Fuzzes every target of tests/fuzz for MINUTES in all (5), and adds what it finds to target/fuzz/corpus.

  --target NAME    this one alone
  --seconds N      each target for N seconds, in place of MINUTES
  --workers N      so many targets at a time (one for each core)
  --replay         run the corpus of tests/fuzz/corpus, and nothing new
  --minimise       write the smallest corpus with the same coverage to tests/fuzz/corpus
  --planted        plant each fault of planted.mjs in a copy, and see whether it is found within --seconds (60)
  --only TEXT      of these, those with TEXT in their names
  --record         add the figures to tests/fuzz/RESULTS.md
  --help           this text

An input that fails is written to target/fuzz/failures.`;

const OPTIONS = {
  target: { type: "string" },
  seconds: { type: "string" },
  workers: { type: "string", default: String(availableParallelism()) },
  replay: { type: "boolean", default: false },
  minimise: { type: "boolean", default: false },
  planted: { type: "boolean", default: false },
  only: { type: "string", default: "" },
  record: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

run(async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const names = chosen(values.target);
  await rust();
  if (values.planted) return planted(names, values.only, Number(values.seconds ?? 60));
  const program = await built("fuzz targets");
  if (values.minimise) return minimise(names, program);
  const figures = [];
  const seconds = values.replay ? 0 : secondsOfEach(values, positionals, names.length);
  const jobs = names.map((target) => async () => {
    figures.push(told(await fuzzed(target, program(target), seconds)));
  });
  await inParallel(jobs, Number(values.workers));
  if (values.record) await record(figures);
});

function chosen(name) {
  if (name === undefined) return targets;
  if (targets.includes(name)) return [name];
  throw new Failure(`there is no target ${name}`, `there are ${targets.join(", ")}`);
}

function secondsOfEach({ seconds, workers }, [minutes = "5"], count) {
  const each = seconds === undefined ? (Number(minutes) * 60 * Number(workers)) / count : Number(seconds);
  if (!(each > 0)) throw new Failure("the time is a number above 0", "npm run fuzz -- 5");
  return Math.ceil(each);
}

/** Shows what a target came to. */
function told(figures) {
  const { target, executions, edges, failure } = figures;
  if (failure) {
    console.error(failure);
    throw new Failure(`${target} found something`, `the input is the newest ${target}-… of target/fuzz/failures`);
  }
  console.log(`fuzz ${target}: ${executions} executions, ${edges} edges, nothing found`);
  return figures;
}

async function minimise(names, program) {
  for (const target of names) {
    const { inputs, bytes } = await minimised(target, program(target));
    console.log(`fuzz ${target}: ${inputs} inputs, ${bytes} bytes of text`);
  }
}
