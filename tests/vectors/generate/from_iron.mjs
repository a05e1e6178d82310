// Writes iron-VERSION.jsonl: seals of the installed @hapi/iron and iron-session, and cookies that the installed @hapi/statehood
// signs, each checked with the package that made it. (run.py installs the three.) Where iron-session alone is installed,
// iron-session-VERSION.jsonl.
import crypto from "node:crypto";
import { at, Draw, insist, installed, require, same, save, SESSIONS, spoiled, tampered, version } from "./rows.mjs";

const HAS_HAPI = installed("@hapi/iron");
const Iron = HAS_HAPI && require("@hapi/iron");
const { Definitions } = HAS_HAPI && require("@hapi/statehood");
const { sealData, unsealData } = require("iron-session");

const NAME = HAS_HAPI ? `iron-${version("@hapi/iron")}` : `iron-session-${version("iron-session")}`;
const IRON = HAS_HAPI && `@hapi/iron ${version("@hapi/iron")}`;
const TTLS = [0, 3600, 1209600];
const SIGNED = {
  base64: ["", "plain text", 'say "hi"; \\'],
  base64json: [{ a: 1 }, ["x", null], "text"],
  form: [{ a: "b c", d: "é&=" }, { empty: "" }],
  iron: [SESSIONS.short],
};

/** A use of the packages: how it seals and reads, and what a configuration says of it. */
const iron = (id) => ({
  config: { format: "iron", ...(id && { id }) },
  framework: IRON,
  seal: (data, secret, ttl) => Iron.seal(data, id ? { id, secret } : secret, { ...Iron.defaults, ttl: ttl * 1000 }),
  read: (value, secret) => Iron.unseal(value, { [id || "default"]: secret }, Iron.defaults),
});
const ironSession = (id) => ({
  config: { format: "iron-session", ...(id && { id }) },
  framework: `iron-session ${version("iron-session")} (iron-webcrypto ${version("iron-webcrypto")})`,
  seal: (data, secret, ttl) => sealData(data, { password: id ? { 1: "x".repeat(32), [id]: secret } : secret, ttl }),
  read: async (value, secret) => {
    const data = await unsealData(value, { password: { [id || 1]: secret } });
    return same(data, {}) ? undefined : data; // what it answers to a value that is none of its own
  },
});

const rows = [];
for (const [kind, use, ids] of [["iron", iron, ["", "k_2"]], ["iron-session", ironSession, ["", "7"]]]) {
  if (kind === "iron" && !HAS_HAPI) continue;
  for (const [name, data] of Object.entries(SESSIONS)) {
    if (kind === "iron-session" && name === "empty") continue;
    const id = ids[rows.length % 2];
    rows.push(await sealed(`${NAME}-${kind}-${name}`, use(id), data, TTLS[rows.length % 3]));
  }
}
for (const [encoding, values] of Object.entries(HAS_HAPI ? SIGNED : {})) {
  for (const [index, data] of values.entries()) rows.push(await signed(`${NAME}-hapi-${encoding}-${index}`, encoding, data));
}
save(NAME, rows);

async function sealed(id, use, data, ttl) {
  const draw = new Draw(id);
  const [key, other, time] = [draw.secret(32 + draw.below(40)), draw.secret(32), draw.time()];
  const salts = `${id}-salts`;
  const value = await at(time, () => random(salts, () => use.seal(data, key, ttl)));
  const otherValue = await at(time, () => random(salts, () => use.seal(data, other, ttl)));
  const reads = async (text, secret) => {
    const data = await at(time + 60, () => use.read(text, secret).catch(() => undefined));
    return data === undefined ? undefined : { data };
  };
  insist(same(await reads(value, key), { data }), `${id} is read as something else`);
  insist(same(await reads(otherValue, other), { data }), `${id} is read as something else under the other key`);
  insist((await reads(value, other)) === undefined, `${id} is accepted under the other key`);
  const [seal, version] = value.split("~"); // what follows a second tilde iron-session does not look at
  const spoilt = spoiled(seal, "*", draw).map((text) => (version ? `${text}~${version}` : text));
  return {
    id, framework: use.framework, config: use.config, cookie: "session", key, other_key: other, value, other_value: null,
    signed_at: null, now: time + 60, payload: data, other_value_same_salts: otherValue,
    tampered: await tampered(value, [...spoilt, otherValue], (text) => reads(text, key)),
    notes: { kind: use.config.format, ttl_seconds: ttl },
  };
}

async function signed(id, encoding, data) {
  const draw = new Draw(id);
  const [key, other, cookie] = [draw.secret(32 + draw.below(40)), draw.secret(32), draw.one(["sid", "remember_1"])];
  const made = (password, name = cookie) => random(`${id}-salts`, async () => {
    const [header] = await definitions(encoding, password).format({ name, value: data });
    return header.slice(name.length + 1).split(";")[0];
  });
  const value = await made(key);
  const reads = async (text, password) => {
    const { states, failed } = await definitions(encoding, password).parse(`${cookie}=${text}`);
    return failed.length ? undefined : { data: states[cookie] };
  };
  insist(await reads(value, key), `${id} is not read`);
  insist((await reads(value, other)) === undefined, `${id} is accepted under the other key`);
  const [payload] = value.split(/\.[^.]*$/);
  const spoilt = [...spoiled(value, "*", draw), payload, await made(other), await made(key, `${cookie}x`)];
  return {
    id, framework: `@hapi/statehood ${version("@hapi/statehood")} (${IRON})`, config: { format: "hapi" }, cookie, key,
    other_key: other, value, other_value: null, signed_at: null, payload,
    tampered: await tampered(value, spoilt, (text) => reads(text, key)),
    notes: { kind: `${encoding} and sign` },
  };
}

function definitions(encoding, password) {
  return new Definitions({ encoding, password, sign: { password }, isSecure: false, ignoreErrors: true });
}

/** Runs `work` with the salts and IVs of this name. @hapi/iron draws by randomBytes, iron-session by getRandomValues. */
async function random(name, work) {
  const draw = new Draw(name);
  const [{ randomBytes }, { getRandomValues }] = [crypto, crypto.webcrypto];
  crypto.randomBytes = (length) => draw.bytes(length);
  crypto.webcrypto.getRandomValues = (array) => (array.set(draw.bytes(array.length)), array);
  try {
    return await work();
  } finally {
    crypto.randomBytes = randomBytes;
    crypto.webcrypto.getRandomValues = getRandomValues;
  }
}
