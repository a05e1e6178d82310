// The compilers' flags by which no path of the machine that builds gets into what is built.
import { homedir } from "node:os";
import path from "node:path";
import { root } from "./tools.mjs";

const CARGO = process.env.CARGO_HOME ?? path.join(homedir(), ".cargo");
const NAMES = [
  [path.join(CARGO, "registry/src"), "crates"],
  [root.replace(/\/$/, ""), "."],
];

/** For rustc. */
export const REMAPPED = NAMES.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);

/** For the C compiler of crates that have C in them. */
export const C_FLAGS = NAMES.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`);
