// What a Worker takes and keeps, asked of `repeating.js`, which calls it.
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const module = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The modules that call a Worker, the entry first, by the names that they go by; the Worker's own entry is `worker.js`. */
export const REPEATING = { "repeating.js": module("repeating.js"), "instances.js": module("instances.js") };
export const WORKER = "worker.js";

/** What the engine is started with where it is to give an account. */
export const ACCOUNT = ["--expose-gc", "--trace-gc", "--trace-gc-verbose"];

const COLLECTIONS = 12;

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
  const heaps = () => [...account().matchAll(/GC in old space requested[^]*?All spaces, +used: +(\d+) KB/g)];
  while (heaps().length < COLLECTIONS / 2) await setTimeout(5);
  return { heap: Number(heaps().at(-1)[1]), wasm: Number(wasm) / 1024 };
}
