// Runs tests with the clock ahead or behind: faketime shifts it for a command and for all that this starts.
import { Failure, asked } from "../src/build/progress.mjs";

const SECONDS = { d: 86_400, y: 31_536_000 }; // as libfaketime counts them
const GET_FAKETIME = "apt-get install faketime (macOS: brew install libfaketime)";
// Timers of Rust's standard library need the monotonic clock as it is. Python's take for ever beside one that is
// shifted only in part, and so a shifted one is right for whatever Python and Node do.
const FOR_RUST = ["--exclude-monotonic"];
// Python would compile its modules anew if the times of files were shifted as well.
const ENV = { NO_FAKE_STAT: "1" };

/** The clock as it is. */
export const REAL = { label: "", forCargo: [], around: (step) => step };

/** A shifted clock for the steps of tests/run.mjs; null where nothing can shift it, which in CI is a Failure. */
export async function shifted(by) {
  const expected = Date.now() + milliseconds(by);
  const now = await asked("faketime", ["-f", by, process.execPath, "-p", "Date.now()"]);
  if (now === null || Math.abs(Number(now) - expected) > 60_000) return missing(by);
  const runner = JSON.stringify(["faketime", ...FOR_RUST, "-f", by]);
  return {
    label: ` at ${by}`,
    // Only the tests: cargo compares the times of files with the clock.
    forCargo: ["--config", `target.'cfg(all())'.runner = ${runner}`],
    around: ([label, command, args]) => [label, "faketime", ["-f", by, command, ...args], ENV],
  };
}

/** By how many milliseconds the clock of this process is shifted. */
export const ownShift = () => (process.env.FAKETIME ? milliseconds(process.env.FAKETIME) : 0);

function milliseconds(shift) {
  const [, number, unit] = /^([+-]\d+)([dy])$/.exec(shift) ?? [];
  if (!unit) throw new Failure(`the clock cannot be shifted by "${shift}"`, "write +60d, +1y or -1y");
  return Number(number) * SECONDS[unit] * 1000;
}

function missing(by) {
  const what = `the clock cannot be shifted by ${by}: faketime is missing or has no effect`;
  if (process.env.CI) throw new Failure(what, GET_FAKETIME);
  console.log(`skipped: ${what}; ${GET_FAKETIME}`);
  return null;
}
