// The corpus that is kept: one text for each target, a line of base64 for each input. libFuzzer wants a file for each.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inRoot, sha256 } from "../../src/build/tools.mjs";

const KEPT = inRoot("tests/fuzz/corpus");
const UNPACKED = inRoot("target/fuzz/kept");

const textOf = (target) => path.join(KEPT, `${target}.txt`);

/** The folder with a target's inputs. */
export function unpacked(target) {
  const text = existsSync(textOf(target)) ? readFileSync(textOf(target), "utf8") : "";
  const folder = path.join(UNPACKED, target, sha256(text).slice(0, 16));
  if (existsSync(path.join(folder, "whole"))) return path.join(folder, "inputs");
  rmSync(path.join(UNPACKED, target), { recursive: true, force: true });
  mkdirSync(path.join(folder, "inputs"), { recursive: true });
  for (const [at, line] of text.split("\n").filter(Boolean).entries()) {
    writeFileSync(path.join(folder, "inputs", String(at)), Buffer.from(line, "base64"));
  }
  writeFileSync(path.join(folder, "whole"), "");
  return path.join(folder, "inputs");
}

/** Keeps the inputs of a folder as the corpus of a target. Answers how many there are, and how many bytes. */
export function keep(target, folder) {
  const inputs = readdirSync(folder).map((name) => readFileSync(path.join(folder, name)));
  const lines = inputs.map((input) => input.toString("base64")).filter(Boolean);
  lines.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  mkdirSync(KEPT, { recursive: true });
  const text = lines.map((line) => `${line}\n`).join("");
  writeFileSync(textOf(target), text);
  return { inputs: lines.length, bytes: text.length };
}
