// Plants faults in a copy of the core, each of which skips one rule, and sees whether the fuzz targets catch it.
//
// All of planted.json are compiled once, each behind a switch; the variable PLANTED says which one a run has.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure } from "../../src/build/progress.mjs";
import { inRoot } from "../../src/build/tools.mjs";
import { BUILT, FOLDER, build, fuzz } from "./engine.mjs";
import { unpacked } from "./corpus.mjs";

const COPY = inRoot("target/planted");
const SECONDS = 60;

/** Runs each fault, or the one of that name; answers how many were missed. */
export async function plant(name) {
  const faults = JSON.parse(readFileSync(path.join(FOLDER, "planted.json"), "utf8"));
  const asked = faults.filter((fault) => name === undefined || fault.name === name);
  if (asked.length === 0) throw new Failure(`there is no fault ${name}`, faults.map((fault) => fault.name).join(", "));
  copy();
  for (const fault of faults) for (const edit of fault.edits) replace(fault, edit);
  const targets = [...new Set(faults.flatMap((fault) => fault.targets))];
  const program = await build({
    folder: path.join(COPY, "tests/fuzz"),
    into: path.join(COPY, "target"),
    args: ["--no-default-features", ...targets.flatMap((target) => ["--bin", target])],
    env: { CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16" },
  });
  let missed = 0;
  for (const fault of asked) {
    const seconds = await caught(fault, program);
    const says = seconds === undefined ? "missed" : `caught after ${seconds.toFixed(1)} s`;
    console.log(`${fault.name}: ${says} (${fault.skips})`);
    if (seconds === undefined) missed += 1;
  }
  console.log(`${asked.length - missed} of ${asked.length} planted faults were caught`);
  if (missed > 0) throw new Failure(`${missed} planted faults were missed`);
}

/** The seconds until one of its targets fails; none where none does. */
async function caught(fault, program) {
  const began = Date.now();
  const left = () => SECONDS - (Date.now() - began) / 1000;
  // the kept corpus first, which takes no time
  for (const args of [["-runs=0"], []]) {
    for (const [at, target] of fault.targets.entries()) {
      const share = Math.max(1, Math.floor(left() / (fault.targets.length - at)));
      const found = path.join(BUILT, "planted", fault.name, target);
      rmSync(found, { recursive: true, force: true });
      const time = args.length ? [] : [`-max_total_time=${share}`];
      const folders = args.length ? [unpacked(target)] : [found, unpacked(target)];
      const { code, lines } = await fuzz(program(target), "planted", [...args, ...time], folders, {
        env: { PLANTED: fault.name },
      });
      if (code !== 0) {
        const why = lines.findIndex((line) => line.includes("panicked at"));
        if (process.env.VERBOSE) console.log(`  ${target}: ${lines.slice(why, why + 2).join(" ").slice(0, 300)}`);
        return (Date.now() - began) / 1000;
      }
    }
  }
  return undefined;
}

/** Everything that the targets of the core are built from and read. */
function copy() {
  rmSync(path.join(COPY, "src"), { recursive: true, force: true });
  rmSync(path.join(COPY, "tests"), { recursive: true, force: true });
  mkdirSync(path.join(COPY, "tests"), { recursive: true });
  const keepTimes = { recursive: true, preserveTimestamps: true };
  for (const name of ["Cargo.toml", "Cargo.lock", "src"]) cpSync(inRoot(name), path.join(COPY, name), keepTimes);
  cpSync(FOLDER, path.join(COPY, "tests/fuzz"), keepTimes);
  for (const name of readdirSync(inRoot("tests")).filter((name) => name !== "fuzz")) {
    symlinkSync(path.join(inRoot("tests"), name), path.join(COPY, "tests", name));
  }
  const lib = path.join(COPY, "src/core/lib.rs");
  writeFileSync(lib, readFileSync(lib, "utf8").replace("#[cfg(test)]\nextern crate std;", SWITCH));
}

function replace(fault, { file, text, planted }) {
  const place = path.join(COPY, file);
  const parts = readFileSync(place, "utf8").split(text);
  if (parts.length !== 2) {
    const times = parts.length - 1;
    throw new Failure(`planted.json, ${fault.name}: the text is ${times} times in ${file}`, `it is: ${text}`);
  }
  writeFileSync(place, parts.join(planted.replaceAll("PLANTED", `crate::planted(${JSON.stringify(fault.name)})`)));
}

const SWITCH = `extern crate std;

/// Whether this run has the fault of that name.
pub(crate) fn planted(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<alloc::string::String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("PLANTED").ok()).as_deref() == Some(name)
}`;
