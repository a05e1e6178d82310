// Writes h3-VERSION.jsonl: sessions of the installed h3, sealed and read by its own sealSession and unsealSession.
// (run.py installs it.) h3 2 derives its keys with 8192 rounds, and still reads what h3 1 made with one.
import crypto from "node:crypto";
import { pathToFileURL } from "node:url";
import { at, Draw, insist, require, same, save, SESSIONS, spoiled, tampered, version } from "./rows.mjs";

const VERSION = version("h3");
const IS_SLOW = !VERSION.startsWith("1.");
const h3 = await import(pathToFileURL(require.resolve("h3")));
const CONFIG = { format: "iron", ...(IS_SLOW && { iterations: 8192 }) };
const AGES = [undefined, 3600, 1209600];

const rows = [];
for (const [name, data] of Object.entries(SESSIONS)) {
  rows.push(await row(`h3-${VERSION}-${name}`, data, AGES[rows.length % AGES.length]));
}
save(`h3-${VERSION}`, rows);

async function row(id, data, maxAge) {
  const draw = new Draw(id);
  const [key, other, time] = [draw.secret(32 + draw.below(40)), draw.secret(32), draw.time()];
  const session = { id: id.toUpperCase(), createdAt: time * 1000, data };
  const config = (password) => ({ password, maxAge, legacySealFallback: false });
  const seal = (password) => at(time, () => random(`${id}-salts`, () => sealed(session, config(password))));
  const [value, otherValue] = [await seal(key), await seal(other)];
  const reads = (text, password) => at(time + 60, () => h3.unsealSession({}, config(password), text).catch(() => undefined));
  insist(same(await reads(value, key), session), `${id} is read as something else`);
  insist(same(await reads(otherValue, other), session), `${id} is read as something else under the other key`);
  insist((await reads(value, other)) === undefined, `${id} is accepted under the other key`);
  return {
    id, framework: `h3 ${VERSION}`, config: CONFIG, cookie: "h3", key, other_key: other, value, other_value: null,
    signed_at: null, now: time + 60, payload: session, other_value_same_salts: otherValue,
    tampered: await tampered(value, [...spoiled(value, "*", draw), otherValue], (text) => reads(text, key)),
    notes: { kind: "useSession", max_age: maxAge ?? null },
  };
}

/** What h3 would set as the cookie of a request that has this session. */
function sealed(session, config) {
  return h3.sealSession({ context: { sessions: { h3: session } } }, config);
}

/** Runs `work` with the salts and IVs of this name. */
async function random(name, work) {
  const draw = new Draw(name);
  const { getRandomValues } = crypto.webcrypto;
  crypto.webcrypto.getRandomValues = (array) => (array.set(draw.bytes(array.length)), array);
  try {
    return await work();
  } finally {
    crypto.webcrypto.getRandomValues = getRandomValues;
  }
}
