// Writes jsonwebtoken-VERSION.jsonl: tokens of the installed jsonwebtoken, each checked with it. (run.py installs it.)
import { createHmac } from "node:crypto";
import { Draw, insist, require, same, save, SESSIONS, spoiled, tampered, version } from "./rows.mjs";

const jwt = require("jsonwebtoken");

const VERSION = version("jsonwebtoken");
const NAME = `jsonwebtoken-${VERSION}`;
const HASHES = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };
const ALGORITHMS = Object.keys(HASHES);

const CASES = {
  ...Object.fromEntries(Object.entries(SESSIONS).map(([name, claims]) => [name, { claims }])),
  session: { claims: { user_id: 4711 }, options: { expiresIn: 3600, notBefore: 0, subject: "4711" } },
  timed: { claims: { user_id: 4711 }, config: { iat: true } },
  untimed: { claims: { user_id: 4711, in: { exp: 1 } }, options: { noTimestamp: true } },
  kid: { claims: { user_id: 4711 }, options: { keyid: "2026-11" }, config: { kid: "2026-11" } },
  "kid-unread": { claims: { user_id: 4711 }, options: { keyid: 'a "key"' } },
  header: { claims: { user_id: 4711 }, options: { header: { typ: undefined, x: { alg: "none", kid: '}"' } } } },
};

const rows = [];
for (const [name, one] of Object.entries(CASES)) {
  for (const algorithm of ALGORITHMS) rows.push(await row(`${NAME}-${name}-${algorithm.toLowerCase()}`, algorithm, one));
}
save(NAME, rows);

async function row(id, algorithm, { claims, options = {}, config = {} }) {
  const draw = new Draw(id);
  const [key, other, time] = [draw.secret(8 + draw.below(90)), draw.secret(40), draw.time()];
  const now = time + 60;
  const sign = (key, more) => jwt.sign({ ...claims, iat: time, ...more }, key, { ...options, algorithm });
  const reads = (token, key) => read(token, key, algorithm, now);
  const [value, otherValue] = [sign(key), sign(other)];
  const payload = reads(value, key);
  insist(same(payload, jwt.decode(value)), `${id} is read as something else`);
  insist(!reads(value, other), `${id} is accepted under the other key`);
  insist(same(reads(otherValue, other), payload), `${id} is not accepted under the other key`);
  const spoilt = [...spoiled(value, ".", draw), `${value}=`, otherValue, ...strays(value, key, algorithm, now)];
  return {
    id, framework: `jsonwebtoken ${VERSION}`,
    config: { format: "jwt", ...(algorithm === "HS256" ? {} : { alg: algorithm }), ...config }, cookie: "token",
    key, other_key: other, value, other_value: otherValue, signed_at: payload.iat ?? null, now, payload,
    tampered: await tampered(value, spoilt, (token) => reads(token, key)),
  };
}

/** Tokens rightly signed, but under another algorithm or out of their time. */
function strays(value, key, algorithm, now) {
  const [header, claims, mac] = value.split(".");
  const content = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const made = (header, claims, signing = algorithm) => {
    const text = [header, claims].map((content) => Buffer.from(JSON.stringify(content)).toString("base64url")).join(".");
    return `${text}.${createHmac(HASHES[signing], key).update(text).digest("base64url")}`;
  };
  const withAlg = (alg, signing) => made({ ...content(header), alg }, content(claims), signing);
  const withClaims = (more) => made(content(header), { ...content(claims), ...more });
  const none = withAlg("none");
  return [
    none, none.slice(0, none.lastIndexOf(".") + 1), `${none.slice(0, none.lastIndexOf("."))}.${mac}`,
    withAlg(undefined), withAlg(algorithm.toLowerCase()),
    ...ALGORITHMS.filter((other) => other !== algorithm)
      .flatMap((other) => [withAlg(other, other), withAlg(other), withAlg(algorithm, other)]),
    withClaims({ exp: now }), withClaims({ nbf: now + 1 }), withClaims({ exp: `${now + 60}` }), withClaims({ nbf: null }),
  ];
}

/** The claims as jsonwebtoken reads them at that time, or nothing where it refuses. */
function read(token, key, algorithm, now) {
  try {
    return jwt.verify(token, key, { algorithms: [algorithm], clockTimestamp: now });
  } catch (error) {
    if (error instanceof jwt.JsonWebTokenError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
