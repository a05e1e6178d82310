// What an isolate keeps of the requests that it has served: nothing, by V8's own account after a forced collection.
import assert from "node:assert/strict";
import fs from "node:fs/promises";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { ago, NAVIGATION, pinned, rawOrigin, SECRETS, send, SESSION, signer, worker } from "./harness.mjs";
import { temporaryFolder } from "./harness/processes.mjs";
import { ACCOUNT, collected, REPEATING, WORKER } from "./harness/repeating.mjs";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));

const sign = await signer({ after });
const at = ago(10);
const [ringCopy, originCopy, oldCopy] = await Promise.all(
  ["NEW_KEY", "ORIGIN_KEY", "OLD_KEY"].map((key) => sign.session(key, { at })),
);
const forged = `${ringCopy.slice(0, -1)}${ringCopy.endsWith("A") ? "B" : "A"}`;
const sets = [["Set-Cookie", `sessionid=${originCopy}; HttpOnly; Path=/`]];

const TRAFFIC = {
  "re-signed both ways": { cookie: `a=1; sessionid=${ringCopy}`, headers: sets },
  "nothing that is managed": { cookie: "a=1; b=2", headers: [] },
  "an upgrade": { cookie: `sessionid=${oldCopy}`, headers: [] },
  "a forged cookie": { cookie: `sessionid=${forged}`, headers: [] },
  "a forged cookie that is refused": { cookie: `sessionid=${forged}`, headers: [], on_invalid: "reject" },
};

for (const [what, { cookie, headers, on_invalid }] of Object.entries(TRAFFIC)) {
  test(`an isolate keeps nothing of its requests: ${what}`, async (t) => {
    const config = pinned({ reports: undefined, cookies: [{ ...SESSION, on_invalid }] });
    const origin = await rawOrigin(t);
    const edge = await worker(t, { config, secrets: SECRETS, origin, build: await repeating(), v8Flags: ACCOUNT });
    const ask = async (method, body) => (await send(edge.port, { method, body })).text;
    const lines = () => edge.logs().map(({ message }) => message);
    const after = async (times) => {
      await ask("PUT", JSON.stringify({ times, headers }));
      await send(edge.port, { cookie, headers: NAVIGATION });
      return collected(ask, lines);
    };
    const few = await after(3_000);
    const many = await after(20_000);
    assert.equal(many.wasm, few.wasm, "the memory of the wasm has grown");
    assert.ok(many.heap - few.heap < 100, `${few.heap} KiB, and after 20,000 requests more ${many.heap} KiB`);
  });
}

/** The built Worker, called by `repeating.js`. */
async function repeating() {
  const folder = temporaryFolder();
  const copy = (from, name) => fs.copyFile(from, path.join(folder, name));
  const [[, entry], ...others] = Object.entries(REPEATING);
  await copy(entry, "index.js");
  for (const [name, from] of others) await copy(from, name);
  await copy(path.join(BUILD, "index.js"), WORKER);
  await copy(path.join(BUILD, "countersign_bg.wasm"), "countersign_bg.wasm");
  return folder;
}
