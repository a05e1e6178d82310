// Signs and verifies the sessions of four frameworks a second time, by Node's own crypto: nothing here is Countersign's.
//
// A cookie of a request is a list of texts: the value, and for cookie-session its signature, which is a cookie of its own.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What each framework of the soak is called, its cookies, and how it signs them. */
export const READERS = {
  sessionid: { parts: ["sessionid"], digests: ["sha256", "sha512"], signature: django, split: atLast(":") },
  flask: { parts: ["flask"], digests: ["sha1"], signature: flask, split: atLast(".") },
  "connect.sid": { parts: ["connect.sid"], digests: ["sha256"], signature: express, split: unwrapped },
  session: { parts: ["session", "session.sig"], digests: ["sha1", "sha256"], signature: keygrip, split: (texts) => texts },
};

/** Every cookie that one of these frameworks reads as its session, or as a part of it. */
export const MANAGED = new Map(
  Object.entries(READERS).flatMap(([rule, { parts }]) => parts.map((part) => [part, rule])),
);

/** Which of the keys `{id: bytes}` signed it, and by which digest: `{key, digest}`, or null for none. */
export function signerOf(rule, texts, keys) {
  const { split, signature, digests } = READERS[rule];
  const [signed, shown] = texts.includes(undefined) ? [] : split(texts);
  if (signed === undefined || shown === undefined) return null;
  for (const [key, secret] of Object.entries(keys)) {
    for (const digest of digests) if (isEqual(signature(signed, secret, digest), shown)) return { key, digest };
  }
  return null;
}

/** The cookie under a key, `{name: value}`; `signed` is what the signature is made of. */
export function signed(rule, signed, secret, digest = READERS[rule].digests[0]) {
  const made = READERS[rule].signature(signed, secret, digest);
  if (rule === "session") return { session: signed, "session.sig": made };
  if (rule === "connect.sid") return { "connect.sid": encodeURIComponent(`s:${signed}.${made}`) };
  return { [rule]: signed + (rule === "flask" ? "." : ":") + made };
}

/** What the signature of a cookie is made of, whoever signed it. */
export const payloadOf = (rule, texts) => READERS[rule].split(texts)[0];

/** A session of nobody's making, signed `seconds` ago where the format has a time. */
export function payload(rule, name, seconds = 0) {
  const at = Math.floor(Date.now() / 1000) - seconds;
  const json = rule === "sessionid" ? { touched: name } : { user: name };
  const text = Buffer.from(JSON.stringify(json)).toString("base64url");
  if (rule === "sessionid") return `${text}:${base62(at)}`;
  if (rule === "flask") return `${text}.${bigEndian(at)}`;
  return rule === "session" ? Buffer.from(JSON.stringify(json)).toString("base64") : name;
}

/** django.core.signing: TimestampSigner of the session's salt. */
function django(text, secret, digest) {
  const key = createHash(digest).update(`${DJANGO_SALT}signer${secret}`).digest();
  return createHmac(digest, key).update(text).digest("base64url");
}

/** itsdangerous as Flask calls it: the key is a MAC of the salt. */
function flask(text, secret, digest) {
  const key = createHmac(digest, secret).update("cookie-session").digest();
  return createHmac(digest, key).update(text).digest("base64url");
}

/** cookie-signature. */
function express(text, secret, digest) {
  return createHmac(digest, secret).update(text).digest("base64").replace(/=+$/, "");
}

/** Keygrip, of the pair. */
function keygrip(text, secret, digest) {
  return createHmac(digest, secret).update(`session=${text}`).digest("base64url");
}

function atLast(separator) {
  return ([value]) => {
    const at = value.lastIndexOf(separator);
    return at < 0 ? [] : [value.slice(0, at), value.slice(at + 1)];
  };
}

function unwrapped([value]) {
  try {
    const decoded = decodeURIComponent(value);
    return decoded.startsWith("s:") ? atLast(".")([decoded.slice(2)]) : [];
  } catch {
    return [];
  }
}

function isEqual(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function base62(number) {
  let text = "";
  for (let left = number; left > 0; left = Math.floor(left / 62)) text = BASE62[left % 62] + text;
  return text;
}

function bigEndian(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes.toString("base64url");
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DJANGO_SALT = "django.contrib.sessions.backends.signed_cookies";
