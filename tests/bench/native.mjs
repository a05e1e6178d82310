// The core natively, beside what the frameworks' own libraries take for the same.
import { execFileSync } from "node:child_process";
import { Failure, step } from "../../src/build/progress.mjs";
import { inRoot, root, venv } from "../../src/build/tools.mjs";
import { nodePeers, opensslFloor } from "./peers.mjs";

const NANOSECONDS = { ps: 1e-3, ns: 1, "µs": 1e3, ms: 1e6, s: 1e9 };
const BENCH = ["bench", "--locked", "--bench", "native"];
const FLOOR_LENGTH = 230;

/** Figures of the core and its peers in nanoseconds: `formats`, `gate` and `peers`. */
export async function native({ seconds, repeats }) {
  await step("benchmark of the core, compiled", "cargo", [...BENCH, "--no-run"], { cwd: root });
  const python = await venv("bench", inRoot("tests/bench/requirements.txt"));
  const flags = [...BENCH, "--quiet", "--", "--min-time", String(seconds)];
  const told = execFileSync("cargo", flags, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const core = coreFigures(told);
  // each library opens a value as long as the one that the core did
  const lengths = Object.fromEntries(Object.keys(core.formats).map((name) => name.split(":")));
  const script = [inRoot("tests/bench/peers.py"), JSON.stringify(lengths), String(repeats)];
  const inPython = JSON.parse(execFileSync(python, script, { encoding: "utf8" }));
  const floor = opensslFloor(FLOOR_LENGTH, repeats);
  return { ...core, peers: [...inPython, ...nodePeers(lengths, repeats), ...(floor ? [floor] : [])] };
}

/** Reads divan's tree: `formats` as {name: {open, seal, both}}, `gate` as {dimension: [{number, least, median}]}. */
export function coreFigures(told) {
  const [formats, gate, path] = [{}, {}, []];
  for (const line of told.split("\n")) {
    const found = /^([│ ]*)[├╰]─ (\S+) *(.*)$/.exec(line);
    if (!found) continue;
    const [, indent, name, cells] = found;
    path.length = indent.length / 3;
    path.push(name);
    const figure = figureOf(cells);
    if (!figure) continue;
    const [group, bench, argument] = path;
    if (group === "gate") (gate[bench] ??= []).push({ number: Number(argument), ...figure });
    else if (group === "each_format") (formats[argument] ??= {})[bench] = figure;
  }
  if (Object.keys(formats).length === 0 || Object.keys(gate).length !== 3) {
    throw new Failure(`divan's table was not understood:\n${told}`);
  }
  return { formats, gate };
}

function figureOf(cells) {
  const [least, , median] = cells.split("│").map((cell) => nanoseconds(cell.trim()));
  return least && median ? { least, median } : undefined;
}

function nanoseconds(text) {
  const [, number, unit] = /^([\d.]+) (ps|ns|µs|ms|s)$/.exec(text) ?? [];
  return number && Number(number) * NANOSECONDS[unit];
}
