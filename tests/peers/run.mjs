// Runs suites of other projects without the Worker and through it, and compares test by test (`npm run peers`).
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Failure, run, shown } from "../../src/build/progress.mjs";
import { inRoot, node, npmPackages, peerPackages, root } from "../../src/build/tools.mjs";
import { compared } from "./compare.mjs";
import { DIFFERENCES } from "./differences.mjs";
import { results } from "./report.mjs";
import { SUITES } from "./suites.mjs";

const HELP = `npm run peers [-- SUITE…] [-- --record]

Runs the suites of other projects twice, without the Worker and through it, and compares them test by test. What differs
must be listed in tests/peers/differences.mjs with its reason, and what is listed there must differ.

  SUITE       ${Object.keys(SUITES).join(", ")}
  --built     take the Worker in build/ as it is
  --record    write tests/peers/RESULTS.md, of all suites
  --help      this text`;

const FLAG = { type: "boolean", default: false };
const OPTIONS = { built: FLAG, record: FLAG, help: FLAG };
/** Where each suite is unpacked and what became of its tests is written. */
const FOLDER = inRoot("target/peers");

run(async () => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(HELP);
  const names = chosen(positionals);
  if (values.record && positionals.length > 0) {
    throw new Failure("--record is for all suites", "npm run peers -- --record");
  }
  node();
  await npmPackages();
  await peerPackages();
  if (!values.built) await built();
  const compares = [];
  for (const name of names) compares.push(await both(name));
  if (values.record) writeFileSync(inRoot("tests/peers/RESULTS.md"), results(compares));
  const faults = compares.reduce((sum, { unlisted, outdated }) => sum + unlisted.length + outdated.length, 0);
  if (faults > 0) {
    const message = `${faults} differences are new or no longer happen`;
    throw new Failure(message, "look into each, then edit tests/peers/differences.mjs");
  }
});

function chosen(names) {
  const unknown = names.find((name) => !SUITES[name]);
  if (unknown) throw new Failure(`${unknown}: no such suite`, `one of ${Object.keys(SUITES).join(", ")}`);
  return names.length > 0 ? names : Object.keys(SUITES);
}

/** One suite in both ways; prints what differs. */
async function both(name) {
  const { title, run } = SUITES[name];
  const folder = `${FOLDER}/${name}`;
  mkdirSync(folder, { recursive: true });
  const [without, through] = await run(folder);
  for (const [way, tests] of Object.entries({ without, through })) {
    if (Object.keys(tests).length === 0) throw new Failure(`${name} ${way}: no tests ran`, `look into target/peers/${name}`);
  }
  const compare = { name, title, ...compared(without, through, DIFFERENCES[name] ?? {}) };
  show(compare);
  return compare;
}

function show({ name, total, crossing, resigned, same, failing, listed, unlisted, outdated }) {
  console.log(`${name}: ${total} tests, ${crossing} through the Worker, ${resigned} cookie headers re-signed`);
  const both = failing > 0 ? ` (${failing} fail both times)` : "";
  console.log(`  ${same} the same${both}, ${listed.length} differ as listed, ${unlisted.length} new`);
  for (const { test, before, after, why } of unlisted) console.log(`  new: ${test}\n    ${before} → ${after} ${why}`);
  for (const test of outdated) console.log(`  listed, but the same: ${test}`);
}

async function built() {
  const code = await shown(process.execPath, [inRoot("src/build/build.mjs")], { cwd: root });
  if (code !== 0) throw new Failure("the Worker cannot be built", "npm run build");
}
