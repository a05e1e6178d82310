// The corpus that is kept: for each target one file, an input a line in base64, the shortest first.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure } from "../../src/build/progress.mjs";
import { BUILT, FOLDER, fuzz } from "./engine.mjs";

const FOUND = path.join(BUILT, "corpus");
const UNPACKED = path.join(BUILT, "kept");
// All targets together stay below 1.5 MB.
const MOST_BYTES = 120_000;

const file = (target) => path.join(FOLDER, "corpus", `${target}.txt`);

/** Where what a target finds is put. */
export const found = (target) => path.join(FOUND, target);

/** The kept inputs of a target, as files in a folder. */
export function unpacked(target) {
  const folder = path.join(UNPACKED, target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file(target))) return folder;
  for (const line of readFileSync(file(target), "utf8").split("\n").filter(Boolean)) {
    const input = Buffer.from(line, "base64");
    writeFileSync(path.join(folder, createHash("sha1").update(input).digest("hex")), input);
  }
  return folder;
}

/** Keeps the shortest inputs of all that were found that reach what they reach. */
export async function minimise(target, program) {
  const folder = path.join(BUILT, "minimised", target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(found(target), { recursive: true });
  const { code, lines } = await fuzz(program, target, ["-merge=1"], [folder, unpacked(target), found(target)]);
  if (code !== 0) throw new Failure(`the corpus of ${target} was not written: ${lines.at(-1)}`);
  const inputs = readdirSync(folder).map((name) => readFileSync(path.join(folder, name)));
  inputs.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  let bytes = 0;
  const kept = inputs.map((input) => input.toString("base64"));
  const fitting = kept.filter((line) => (bytes += line.length + 1) <= MOST_BYTES);
  mkdirSync(path.dirname(file(target)), { recursive: true });
  writeFileSync(file(target), `${fitting.join("\n")}\n`);
  console.log(`corpus ${target}: ${fitting.length} of ${inputs.length} inputs`);
}
