// Writes authjs-VERSION.jsonl: tokens that the installed @auth/core, or next-auth 4, encrypts, each read by its own decode.
// (run.py installs them.)
import crypto from "node:crypto";
import { pathToFileURL } from "node:url";
import { at, Draw, insist, installed, require, same, save, SESSIONS, spoiled, tampered, version } from "./rows.mjs";

// What is random comes from here: jose and uuid look for their sources as they are loaded.
let drawn = new Draw("");
const fill = (array) => (array.set(drawn.bytes(array.length)), array);
const randomUUID = () => drawn.bytes(16).toString("hex");
Object.assign(crypto, { randomUUID, randomFillSync: fill });
Object.assign(crypto.webcrypto, { randomUUID, getRandomValues: fill });

const IS_5 = installed("@auth/core");
const PACKAGE = IS_5 ? "@auth/core" : "next-auth";
const NAME = `${IS_5 ? "authjs" : "nextauth"}-${version(PACKAGE)}`;
const { encode, decode } = await import(pathToFileURL(require.resolve(`${PACKAGE}/jwt`)));
const { base64url, EncryptJWT } = await import(pathToFileURL(require.resolve("jose")));
const hkdf = (secret, salt, info, length) => Buffer.from(crypto.hkdfSync("sha256", secret, salt, info, length));
const PREFIX = IS_5 ? "authjs" : "next-auth";
const COOKIES = [`__Secure-${PREFIX}.session-token`, `${PREFIX}.session-token`];
const LOGIN = `__Secure-${PREFIX}.state`;

const rows = [];
for (const [name, session] of Object.entries(SESSIONS)) {
  rows.push(await row(`${NAME}-${name}`, session, COOKIES[rows.length % 2], IS_5 ? undefined : ""));
}
rows.push(await row(`${NAME}-login`, { value: "a state" }, LOGIN, IS_5 ? undefined : LOGIN));
save(NAME, rows);

async function row(id, session, cookie, ownSalt) {
  const draw = new Draw(id);
  const [key, other, time] = [draw.secret(32 + draw.below(20)), draw.secret(32), draw.time()];
  const salt = ownSalt ?? cookie;
  const maxAge = draw.one([3600, 2592000]);
  const fixed = (work) => at(time, () => random(`${id}-drawn`, work));
  const made = (secret, more = {}) => fixed(() => encode({ token: { ...session }, secret, salt, maxAge, ...more }));
  const reads = (token, secret, more = {}) =>
    at(time + 60, () => decode({ token, secret, salt, ...more }).catch(() => undefined)).then((data) => data && { data });
  const [value, otherValue] = [await made(key), await made(other)];
  const payload = (await reads(value, key)).data;
  insist(same(payload, { ...session, iat: time, exp: time + maxAge, jti: payload.jti }), `${id} is read as something else`);
  insist((await reads(value, other)) === undefined, `${id} is accepted under the other key`);
  insist(same((await reads(otherValue, other)).data, payload), `${id} is read as something else under the other key`);
  const [header, , iv, text, tag] = value.split(".");
  const forged = [
    otherValue,
    [otherValue.split(".")[0], "", iv, text, tag].join("."),
    ["", "", iv, text, tag].join("."),
    [header, "", iv, text, tag.slice(0, 22)].join("."),
    [base64url.encode('{"alg":"none"}'), "", iv, text, tag].join("."),
    ...(salt ? [await made(key, { salt: `${salt}x` })] : []),
    await fixed(() => forgery({ alg: "dir", enc: "A128CBC-HS256" }, crypto.createHash("sha256").update(key).digest())),
    // rightly encrypted, its time over
    await made(key, { maxAge: -3600 }),
  ];
  const bare = IS_5 && [await fixed(() => withoutKid(payload, key, salt))];
  for (const token of bare || []) insist(same(await reads(token, key), { data: payload }), `${id} without kid is refused`);
  return {
    id, framework: `${PACKAGE} ${version(PACKAGE)} (jose ${version("jose")})`,
    config: { format: IS_5 ? "authjs" : "nextauth", ...(!IS_5 && salt && { salt }) },
    cookie, key, other_key: other, value, other_value: null, signed_at: time, now: time + 60, payload,
    other_value_same_salts: otherValue,
    tampered: await tampered(value, [...spoiled(value, ".", draw), ...forged], (token) => reads(token, key)),
    ...(bare && { also_accepted: bare }),
    notes: { kind: "session", max_age: maxAge },
  };
}

/** As @auth/core wrote it before it knew several secrets. */
function withoutKid(payload, secret, salt) {
  const key = hkdf(secret, salt, `Auth.js Generated Encryption Key (${salt})`, 64);
  return new EncryptJWT(payload).setProtectedHeader({ alg: "dir", enc: "A256CBC-HS512" }).encrypt(key);
}

function forgery(header, key) {
  return new EncryptJWT({ iat: 1 }).setProtectedHeader(header).encrypt(key);
}

/** Runs `work` with the bytes of this name for IVs and ids. */
function random(name, work) {
  drawn = new Draw(name);
  return work();
}
