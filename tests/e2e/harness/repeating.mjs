// What a Worker takes and keeps, asked of `repeating.js`, which calls it.
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const own = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The modules `{name: file}` of a Worker, its entry first, as those of one that `repeating.js` calls. */
export function repeating(modules) {
  const [[, entry], ...others] = Object.entries(modules);
  return {
    "repeating.js": own("repeating.js"),
    "instances.js": own("instances.js"),
    "worker.js": entry,
    ...Object.fromEntries(others),
  };
}

/** What the engine is started with where it is to give an account. */
export const ACCOUNT = ["--expose-gc", "--trace-gc", "--trace-gc-verbose"];

const COLLECTIONS = 12;
const PATIENCE_MS = 5_000;

/**
 * Collects, and answers the KiB that live on in V8's heap, by its own account, and in the memory of wasm.
 * `ask(method)` makes a request and answers the text of the answer, `lines` is what the runtime has said so far.
 */
export async function collected(ask, lines) {
  const before = lines().length;
  let wasm;
  // V8 writes its account when some of it has gathered
  for (let time = 0; time < COLLECTIONS; time += 1) wasm = await ask("DELETE");
  const account = () => lines().slice(before).join("\n");
  const heaps = () => [...account().matchAll(/testing; GC in old space requested[^]*?All spaces, +used: +(\d+) KB/g)];
  for (const end = Date.now() + PATIENCE_MS; heaps().length < COLLECTIONS / 2; await setTimeout(5)) {
    if (Date.now() > end) throw new Error(`V8 gives no account of its collections:\n${account().slice(-2_000)}`);
  }
  return { heap: Number(heaps().at(-1)[1]), wasm: Number(wasm) / 1024 };
}
