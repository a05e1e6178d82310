// The programs of this package, and how one ends.
import path from "node:path";
import { fileURLToPath } from "node:url";

/** All that a stream has. */
export async function textOf(stream) {
  let text = "";
  for await (const piece of stream.setEncoding("utf8")) text += piece;
  return text;
}

/** The exit code of a process, when it has said all. */
export function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${error.message}; to build it: cargo build --bins --examples`)));
    child.once("close", resolve);
  });
}

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
/** Where cargo puts them. */
export const TARGET = process.env.CARGO_TARGET_DIR ?? path.join(PROJECT, "target");
