// The compilers' flags by which no path of the machine that builds gets into what is built.
import { homedir } from "node:os";
import path from "node:path";
import { root } from "./tools.mjs";

const CARGO = process.env.CARGO_HOME ?? path.join(homedir(), ".cargo");

/** For rustc. */
export const REMAPPED = names({ root, cargo: CARGO }).map(([from, to]) => `--remap-path-prefix=${from}=${to}`);

/** Variables for the build scripts of crates with C in them; `of` makes a variable's name one of a target. */
export function cFlags(of, folders = { root, cargo: CARGO }) {
  const flags = names(folders).map(([from, to]) => quoted(`-ffile-prefix-map=${from}=${to}`));
  return { [of("CFLAGS")]: flags.join(" "), CC_SHELL_ESCAPED_FLAGS: "1" }; // else a space in a path parts a flag
}

function names({ root, cargo }) {
  return [
    [path.join(cargo, "registry/src"), "crates"],
    [root.replace(/\/$/, ""), "."],
  ];
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
