// Changes what wasm-bindgen made: a panic traps without words, imports go by short names, long texts cross at once.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";
import { Failure } from "./progress.mjs";

/** The functions of Rust's library that put a panic into words. */
const LAST_WORDS =
  /^(core|alloc|std)\[\w+\]::.*(panicking::(panic|assert_failed)|::panic_|_fail(ed)?(_rt)?$|raw_vec::handle_error|capacity_overflow)/;
/** wasm-bindgen ends the name of an import with a hash, which hardly compresses and stands in the glue as well. */
const HASHED = /^__wbg_\w+_[0-9a-f]{16}$/;
// The glue carries texts over letter by letter: 0.7 µs for 300 letters in workerd, at once 0.2; of 60 both take 0.2.
// What was read to the end in as many bytes as it has letters is ASCII.
const CROSSING = [
  "let offset = 0;",
  "let offset = len > 64 && cachedTextEncoder.encodeInto(arg, mem.subarray(ptr, ptr + len)).read === len ? len : 0;",
];

/** Changes the wasm and its glue in place. */
export function reshape(wasm, glue) {
  const module = binaryen.readBinary(readFileSync(wasm));
  silence(module);
  const renamed = shortened(module, readFileSync(glue, "utf8"));
  writeFileSync(wasm, module.emitBinary());
  writeFileSync(glue, replacedOnce(renamed, ...CROSSING));
}

// A panic ends in a trap, and `entry.js` tells where. The words would tell why, and may hold a visitor's cookie.
function silence(module) {
  for (const ref of functions(module)) {
    const { name, body } = binaryen.getFunctionInfo(ref);
    const never = body && binaryen.getExpressionType(body) === binaryen.unreachable; // it returns to nobody
    if (never && LAST_WORDS.test(name)) binaryen.Function.setBody(ref, module.unreachable());
  }
}

/** Gives the imports short names; answers the glue with the same. */
function shortened(module, glue) {
  const hashed = functions(module)
    .map(binaryen.getFunctionInfo)
    .filter(({ base }) => HASHED.test(base));
  for (const [at, it] of hashed.entries()) {
    module.removeFunction(it.name);
    module.addFunctionImport(it.name, it.module, short(at), it.params, it.results);
  }
  return hashed.reduce((text, { base }, at) => text.replaceAll(base, short(at)), glue);
}

function replacedOnce(text, before, after) {
  const parts = text.split(before);
  if (parts.length === 2) return parts.join(after);
  throw new Failure(`wasm-bindgen's glue no longer says once: ${before}`, "see CROSSING in src/worker/reshape.mjs");
}

function functions(module) {
  return Array.from({ length: module.getNumFunctions() }, (_, at) => module.getFunctionByIndex(at));
}

const short = (at) => `_${at.toString(36)}`;
