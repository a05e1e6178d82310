// A suite of mocha and supertest, without the Worker and through it.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { Failure, step } from "../../../src/build/progress.mjs";
import { inRoot } from "../../../src/build/tools.mjs";
import { between } from "../between.mjs";

const MOCHA = inRoot("tests/peers/node_modules/mocha/bin/mocha.js");
const THROUGH = inRoot("tests/peers/mocha/through.cjs");

/** Runs a test file in `folder` in both ways; resolves with the outcomes of both. */
export async function both(name, folder, file, { config, secrets }) {
  const suite = (way, env) => outcomes(`${name}'s tests ${way}`, `${folder}/${way}`, file, env);
  return [await suite("without", {}), await between(config, secrets, (ports) => suite("through", ports))];
}

// A suite in which tests fail ends with their number like one that does not run: so what counts is what was written.
async function outcomes(label, at, file, ports) {
  const [report, counted] = [`${at}.json`, `${at}-counts.json`];
  for (const old of [report, counted]) rmSync(old, { force: true });
  const command = [MOCHA, "--require", THROUGH, "--reporter", "json", "--reporter-option", `output=${report}`, file];
  const env = { ...ports, PEERS_COUNTS: counted, NODE_PATH: inRoot("tests/peers/node_modules"), NODE_ENV: "test" };
  await step(label, "sh", ["-c", '"$@" || test -s "$PEERS_COUNTS"', "sh", process.execPath, ...command], { env });
  if (!existsSync(report)) throw new Failure(`${label}: no outcomes`);
  const counts = JSON.parse(readFileSync(counted, "utf8"));
  return asOutcomes(JSON.parse(readFileSync(report, "utf8")), counts);
}

function asOutcomes({ tests, pending }, counts) {
  const skipped = new Set(pending.map(({ fullTitle }) => fullTitle));
  const outcomes = {};
  for (const { fullTitle, err } of tests) {
    const failure = err.message ?? (Object.keys(err).length > 0 ? "failed" : "");
    // two tests of one name are told apart by their order
    const before = Object.keys(outcomes).filter((name) => name.replace(/ #\d+$/, "") === fullTitle).length;
    outcomes[before ? `${fullTitle} #${before + 1}` : fullTitle] = {
      outcome: failure ? "fails" : skipped.has(fullTitle) ? "skipped" : "passes",
      why: failure.split("\n")[0].slice(0, 300),
      ...(counts[fullTitle] ?? { exchanges: 0, resigned: 0 }),
    };
  }
  return outcomes;
}
