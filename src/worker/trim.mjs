// Takes out of the bound wasm what nobody reads: the hashes in the names of imports.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** wasm-bindgen ends the name of an import with a hash, which hardly compresses and stands in the glue as well. */
const HASHED = /^__wbg_\w+_[0-9a-f]{16}$/;

/** Trims the wasm in place; the answer is the text of the glue with the same names in it. */
export function trim(wasm, glue) {
  const module = binaryen.readBinary(readFileSync(wasm));
  const refs = Array.from({ length: module.getNumFunctions() }, (_, at) => module.getFunctionByIndex(at));
  const hashed = refs.map(binaryen.getFunctionInfo).filter(({ base }) => HASHED.test(base));
  hashed.forEach((it, at) => {
    module.removeFunction(it.name);
    module.addFunctionImport(it.name, it.module, short(at), it.params, it.results);
  });
  writeFileSync(wasm, module.emitBinary());
  return hashed.reduce((text, { base }, at) => text.replaceAll(base, short(at)), glue);
}

const short = (at) => `_${at.toString(36)}`;
