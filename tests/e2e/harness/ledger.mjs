// The Worker with a ledger, and builds around it: one whose object fails as a test says, one that hurries.
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pinned, SECRETS } from "./settings.mjs";
import { send } from "./client.mjs";
import { temporaryFolder } from "./processes.mjs";
import { rawOrigin } from "./raw-origin.mjs";
import { repeating } from "./repeating.mjs";
import { worker } from "./workerd.mjs";

export const TOKEN = "token-of-the-tests-5d0f7c3be1924a6688";
const BUILD = fileURLToPath(new URL("../../../build/", import.meta.url));
const OWN = ["index.js", "countersign_bg.wasm"];

/** What a Worker of these tests has: a ledger, the token, no reports. */
export const version = ({ bindings = {}, ...changes } = {}) => ({
  config: pinned({ reports: "none" }),
  secrets: { ...SECRETS, COUNTERSIGN_TOKEN: TOKEN },
  bindings: { LEDGER: { ledger: true }, ...bindings },
  ...changes,
});

/** The Worker with a ledger in front of an origin. */
export async function ledgerSite(t, { handle, ...options } = {}) {
  const origin = await rawOrigin(t, handle);
  const edge = await worker(t, { origin, ...version(), ...options });
  return { origin, edge };
}

/** What the ledger tells, asked at a port. */
export async function ledger(port, query = "ledger") {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  return send(port, { path: `/.well-known/countersign?${query}`, headers });
}

/** Counts as `{"rule key verdict reason": count}`. */
export function sums(counts) {
  const sums = {};
  for (const { rule, key, verdict, reason, count } of counts) {
    const name = [rule, key, verdict, reason].filter(Boolean).join(" ");
    sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/** The built Worker behind a module of `text`, which may import it as "./built.js". */
export function around(text, build = BUILD) {
  const folder = temporaryFolder();
  fs.copyFileSync(path.join(build, OWN[0]), path.join(folder, "built.js"));
  fs.copyFileSync(path.join(build, OWN[1]), path.join(folder, OWN[1]));
  fs.writeFileSync(path.join(folder, "index.js"), text);
  return folder;
}

/** The built Worker, called by `repeating.js`. */
export function repeated() {
  const folder = temporaryFolder();
  const modules = repeating(Object.fromEntries(OWN.map((name) => [name, path.join(BUILD, name)])));
  for (const [at, [name, file]] of Object.entries(modules).entries()) {
    fs.copyFileSync(file, path.join(folder, at ? name : "index.js"));
  }
  return folder;
}

/** A batch as an isolate sends it. */
export function batch(rows, { isolate = randomUUID().replaceAll("-", "").slice(0, 16), number = 1, ...more } = {}) {
  return JSON.stringify({ isolate, batch: number, rows, ...more });
}

/** A row of the hour that `ago` seconds ago was. */
export function row({ ago = 0, ...changes } = {}) {
  const at = Math.floor((Date.now() / 1000 - ago) / 3600) * 3600;
  return { at, rule: "sessionid", key: "NEW_KEY", verdict: "current", count: 1, first: at, last: at, ...changes };
}

/** A Worker that hands to the ledger whatever it is posted. */
export const POSTS = `export default {
  fetch: (request, env) => env.LEDGER.get(env.LEDGER.idFromName("ledger")).fetch(request),
};`;
