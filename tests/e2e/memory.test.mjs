// What an isolate keeps of the requests that it has served: nothing, by V8's own account after a forced collection.
import assert from "node:assert/strict";
import fs from "node:fs/promises";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { ago, NAVIGATION, pinned, rawOrigin, SECRETS, send, SESSION, signer, worker } from "./harness.mjs";
import { temporaryFolder } from "./harness/processes.mjs";
import { ACCOUNT, collected, repeating } from "./harness/repeating.mjs";

const BUILD = fileURLToPath(new URL("../../build/", import.meta.url));

const sign = await signer({ after });
const at = ago(10);
const [ringCopy, originCopy, oldCopy] = await Promise.all(
  ["NEW_KEY", "ORIGIN_KEY", "OLD_KEY"].map((key) => sign.session(key, { at })),
);
const middle = ringCopy.length - 20; // of the signature
const forged = ringCopy.slice(0, middle) + (ringCopy[middle] === "A" ? "B" : "A") + ringCopy.slice(middle + 1);
const sets = [["Set-Cookie", `sessionid=${originCopy}; HttpOnly; Path=/`]];

/** What is sent, what the origin sets, and the status and cookies of the answer. */
const TRAFFIC = {
  "re-signed both ways": {
    cookie: `a=1; sessionid=${ringCopy}`,
    headers: sets,
    answered: [200, [`sessionid=${ringCopy}; HttpOnly; Path=/`]],
  },
  "nothing that is managed": { cookie: "a=1; b=2", answered: [200, []] },
  "an upgrade": {
    cookie: `sessionid=${oldCopy}`,
    answered: [200, [`sessionid=${ringCopy}; Path=/; HttpOnly; SameSite=Lax; Max-Age=LEFT`]],
  },
  "a forged cookie": { cookie: `sessionid=${forged}`, answered: [200, []] },
  "a forged cookie that is refused": {
    cookie: `sessionid=${forged}`,
    shown: {},
    on_invalid: "reject",
    answered: [403, ["sessionid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"]],
  },
};

for (const [what, { cookie, headers = [], shown = NAVIGATION, on_invalid, answered }] of Object.entries(TRAFFIC)) {
  test(`an isolate keeps nothing of its requests: ${what}`, async (t) => {
    const config = pinned({ reports: undefined, cookies: [{ ...SESSION, on_invalid }] });
    const origin = await rawOrigin(t);
    const edge = await worker(t, { config, secrets: SECRETS, origin, build: await called(), v8Flags: ACCOUNT });
    const ask = async (method, body) => (await send(edge.port, { method, body })).text;
    const lines = () => edge.logs().map(({ message }) => message);
    const after = async (times) => {
      await ask("PUT", JSON.stringify({ times, headers }));
      const { status, setCookies } = await send(edge.port, { cookie, headers: shown });
      assert.deepEqual([status, setCookies.map((it) => it.replace(/Max-Age=[1-9]\d*/, "Max-Age=LEFT"))], answered);
      return collected(ask, lines);
    };
    const few = await after(3_000);
    const many = await after(20_000);
    assert.equal(many.wasm, few.wasm, "the memory of the wasm has grown");
    assert.ok(many.heap - few.heap < 100, `${few.heap} KiB, and after 20,000 requests more ${many.heap} KiB`);
  });
}

/** The built Worker, called by `repeating.js`. */
async function called() {
  const folder = temporaryFolder();
  const own = Object.fromEntries(["index.js", "countersign_bg.wasm"].map((name) => [name, path.join(BUILD, name)]));
  for (const [at, [name, file]] of Object.entries(repeating(own)).entries()) {
    await fs.copyFile(file, path.join(folder, at ? name : "index.js"));
  }
  return folder;
}
