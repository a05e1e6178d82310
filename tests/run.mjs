// Installs what the tests need and runs them all (`npm test`); `--only lint`, `rust` or `e2e` runs a part, and
// `--clock +1y` what depends on the calendar, with the clock a year ahead.
import { readdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, run, shown } from "../src/build/progress.mjs";
import { inRoot, node, npmPackages, root, rust, rustLints } from "../src/build/tools.mjs";
import { testPackages, venv, wasmTarget } from "../src/build/tools.mjs";
import { REAL, shifted } from "./clock.mjs";

const DENY = ["--", "-D", "warnings"];
const CLIPPY_FOR_WASM = ["clippy", "--locked", "--package", "countersign-worker", "--target", "wasm32-unknown-unknown", ...DENY];
const BUILD = inRoot("src/build/build.mjs");
const E2E = inRoot("tests/e2e");
const TEST_FLAGS = ["--test", "--test-reporter=spec", "--test-timeout=600000"]; // a file that hangs fails
// A workspace of their own, so that the product's knows nothing of what they need.
const SITES_IN_RUST = [
  ...["--manifest-path", `${E2E}/frameworks/sites/rust/Cargo.toml`],
  ...["--target-dir", path.join(process.env.CARGO_TARGET_DIR ?? inRoot("target"), "sites")],
];
// The end-to-end tests in which time passes: keys end, cookies grow old, versions have dates.
const OF_THE_CALENDAR = ["fleet", "rotation", "status"].map((name) => `${E2E}/${name}.test.mjs`);
// The steps of a part depend on each other where `chained`: tests of a build that failed would test the one before it.
const PARTS = {
  lint: () => ({
    steps: [
      ["rustfmt", "cargo", ["fmt", "--check"]],
      ["clippy for the host", "cargo", ["clippy", "--locked", "--all-targets", ...DENY]],
      ["clippy for wasm", "cargo", CLIPPY_FOR_WASM],
    ],
  }),
  rust: (clock) => ({ steps: [[`Rust tests${clock.label}`, "cargo", ["test", "--locked", ...clock.forCargo]]] }),
  e2e: (clock) => ({
    chained: true,
    steps: [
      ["build of the Worker", process.execPath, [BUILD]],
      ["build of a Worker with a fault", process.execPath, [BUILD, "--features", "fault", "--out", "build-fault"]],
      ["build of the command line", "cargo", ["build", "--locked", "--bins", "--examples"]],
      ["build of the sites in Rust", "cargo", ["build", "--locked", ...SITES_IN_RUST]],
      // files are named because Node takes no folder
      clock.around([`end-to-end tests${clock.label}`, process.execPath, [...TEST_FLAGS, ...endToEndFiles(clock)]]),
    ],
  }),
};

run(async () => {
  const { values } = parseArgs({ options: { only: { type: "string" }, clock: { type: "string" } } });
  if (values.only && !PARTS[values.only]) {
    throw new Failure(`--only ${values.only}: no such part of the tests`, `one of ${Object.keys(PARTS).join(", ")}`);
  }
  const clock = values.clock ? await shifted(values.clock) : REAL;
  if (clock === null) return;
  const parts = values.only ? [values.only] : Object.keys(PARTS).filter((part) => clock === REAL || part !== "lint");
  await install(parts);
  const results = [];
  for (const part of parts) results.push(...(await runInTurn(PARTS[part](clock))));
  summarise(results);
});

async function install(parts) {
  node();
  await rust();
  await npmPackages();
  if (parts.includes("e2e")) await testPackages();
  await wasmTarget();
  if (parts.includes("lint")) await rustLints();
  if (parts.includes("e2e")) for (const [name, file] of environments()) await venv(name, file);
}

/** requirements.txt makes .tools/venv-e2e, requirements-NAME.txt makes .tools/venv-e2e-NAME. */
function environments() {
  const files = readdirSync(E2E).filter((file) => /^requirements.*\.txt$/.test(file));
  return files.map((file) => [file.replace(/^requirements(.*)\.txt$/, "e2e$1"), `${E2E}/${file}`]);
}

function endToEndFiles(clock) {
  if (clock !== REAL) return OF_THE_CALENDAR;
  const files = readdirSync(E2E, { recursive: true })
    .filter((file) => file.endsWith(".test.mjs"))
    .sort();
  if (files.length === 0) throw new Failure(`no end-to-end tests in ${E2E}`);
  return files.map((file) => `${E2E}/${file}`);
}

async function runInTurn({ steps, chained }) {
  const results = [];
  for (const [label, command, args, env] of steps) {
    if (chained && results.some(({ code }) => code !== 0)) {
      results.push({ label, code: "not run", seconds: 0 });
      continue;
    }
    console.log(`\n── ${label}`);
    const began = Date.now();
    const code = await shown(command, args, { cwd: root, env });
    results.push({ label, code, seconds: Math.round((Date.now() - began) / 1000) });
  }
  return results;
}

function summarise(results) {
  console.log("\n── summary");
  for (const { label, code, seconds } of results) {
    console.log(`${code === 0 ? "✓" : "✗"} ${label}, ${seconds} s${code === 0 ? "" : `: failed (${code})`}`);
  }
  const failed = results.filter(({ code }) => code !== 0);
  if (failed.length) throw new Failure(`failed: ${failed.map(({ label }) => label).join(", ")}`);
}
