// What the built Worker exports (rule B5): a service binding could call every function beside it.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { rawOrigin, send, worker } from "./harness.mjs";
import { temporaryFolder } from "./harness/processes.mjs";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));
const SHOWS_EXPORTS = `import * as built from "./worker.js";
export default { fetch: () => Response.json([Object.keys(built), Reflect.ownKeys(built.default)]) };`;

test("the built entry exports the Worker, which has one handler, and the class of the ledger", async (t) => {
  const folder = temporaryFolder();
  fs.copyFileSync(path.join(BUILD, "index.js"), path.join(folder, "worker.js"));
  fs.copyFileSync(path.join(BUILD, "countersign_bg.wasm"), path.join(folder, "countersign_bg.wasm"));
  fs.writeFileSync(path.join(folder, "index.js"), SHOWS_EXPORTS);
  const edge = await worker(t, { origin: await rawOrigin(t), build: folder });
  assert.deepEqual((await send(edge.port)).json(), [["Ledger", "default"], ["fetch"]]);
});
