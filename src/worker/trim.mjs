// Takes out of the bound wasm what nobody reads: the last words of a panic, and the hashes in the names of imports.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** The functions of Rust's library that put a panic into words. */
const LAST_WORDS =
  /^(core|alloc|std)\[\w+\]::.*(panicking::(panic|assert_failed)|::panic_|_fail(ed)?(_rt)?$|raw_vec::handle_error|capacity_overflow)/;
/** wasm-bindgen ends the name of an import with a hash, which hardly compresses and stands in the glue as well. */
const HASHED = /^__wbg_\w+_[0-9a-f]{16}$/;

/** Trims the wasm in place; the answer is the text of the glue with the same names in it. */
export function trim(wasm, glue) {
  const module = binaryen.readBinary(readFileSync(wasm));
  const refs = Array.from({ length: module.getNumFunctions() }, (_, at) => module.getFunctionByIndex(at));
  for (const ref of refs.filter(isLastWords)) binaryen.Function.setBody(ref, module.unreachable());
  const hashed = refs.map(binaryen.getFunctionInfo).filter(({ base }) => HASHED.test(base));
  hashed.forEach((it, at) => {
    module.removeFunction(it.name);
    module.addFunctionImport(it.name, it.module, short(at), it.params, it.results);
  });
  writeFileSync(wasm, module.emitBinary());
  return hashed.reduce((text, { base }, at) => text.replaceAll(base, short(at)), glue);
}

// A panic ends in a trap, and `entry.js` tells where. The words would tell why, and may hold a visitor's cookie.
function isLastWords(ref) {
  const { name, body } = binaryen.getFunctionInfo(ref);
  return body && LAST_WORDS.test(name) && binaryen.getExpressionType(body) === binaryen.unreachable; // never returns
}

const short = (at) => `_${at.toString(36)}`;
