// Soaks the Worker (`npm run soak`): thousands of sessions through rotations, deployments and faults, none of them lost.
import { existsSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, run, shown, step } from "../../src/build/progress.mjs";
import { inRoot, node, npmPackages, root, rust, testPackages, venv } from "../../src/build/tools.mjs";
import { PLANTS } from "./plants.mjs";
import { soak } from "./soak.mjs";

const HELP = `npm run soak [-- MINUTES] [-- --seed SEED]

Runs real sites behind the real workerd for MINUTES (1), while keys are rotated and everything that may go wrong does,
and says how many sessions were lost: none.

  --seed SEED      the seed of an earlier run: the same events, as far as what runs at once has an order
  --sessions N     how many sessions there are (2000)
  --worker FOLDER  another build of the Worker than build/
  --built          do not build the Worker and the command line first
  --plant FAULT    plant a fault, which has to be found: then the exit code is 1
  --help           this text

Faults:
${Object.entries(PLANTS).map(([name, what]) => `  ${name.padEnd(20)} ${what}`).join("\n")}`;

const OPTIONS = {
  seed: { type: "string", default: String(Date.now()) },
  sessions: { type: "string", default: "2000" },
  worker: { type: "string", default: inRoot("build") },
  built: { type: "boolean", default: false },
  plant: { type: "string" },
  help: { type: "boolean", default: false },
};
const MOST_SHOWN = 20;

run(async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const [minutes = "1"] = positionals;
  const seconds = positive(minutes, "MINUTES") * 60;
  const sessions = positive(values.sessions, "--sessions");
  if (values.plant && !PLANTS[values.plant]) {
    throw new Failure(`--plant ${values.plant}: no such fault`, `one of ${Object.keys(PLANTS).join(", ")}`);
  }
  if (!values.built) await build();
  if (!existsSync(path.join(values.worker, "index.js"))) {
    throw new Failure(`there is no Worker in ${values.worker}`, "npm run build");
  }
  const { lines, wrong, problems } = await soak({ ...values, seconds, sessions, say });
  say.end();
  console.log(lines.join("\n"));
  if (wrong.length === 0) return;
  console.log(`\n${problems.slice(0, MOST_SHOWN).join("\n")}`);
  throw new Failure(`the soak found: ${wrong.join(", ")}`, `npm run soak -- ${minutes} --seed ${values.seed}`);
});

async function build() {
  node();
  await rust();
  await npmPackages();
  await testPackages();
  await venv("e2e", inRoot("tests/e2e/requirements.txt"));
  const code = await shown(process.execPath, [inRoot("src/build/build.mjs")], { cwd: root });
  if (code !== 0) throw new Failure("the Worker cannot be built", "npm run build");
  await step("command line", "cargo", ["build", "--locked", "--bins"], { cwd: root });
}

function positive(text, name) {
  if (Number(text) > 0) return Number(text);
  throw new Failure(`${name} is a number above 0`, "npm run soak -- 10");
}

/** One line that changes where somebody looks on, and lines elsewhere. */
function say(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
  else console.log(text);
}
say.end = () => process.stdout.isTTY && console.log();
