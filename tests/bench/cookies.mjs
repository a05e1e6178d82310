// The cookies of the cases, made here by Node's crypto so that what the Workers answer is checked by a third party.
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const SALT = "django.contrib.sessions.backends.signed_cookiessigner";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A Django session of `length` bytes in all, signed at `time` (Unix seconds). */
export function djangoSession(secret, { length, time, seed }) {
  const tail = `:${base62(time)}:${"s".repeat(43)}`;
  const payload = filler(length - tail.length, seed);
  return djangoSealed(secret, `${payload}:${base62(time)}`);
}

function djangoSealed(secret, signed) {
  const key = createHash("sha256").update(SALT + secret).digest();
  return `${signed}:${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

/** The same session under another key. */
export function djangoResealed(secret, value) {
  return djangoSealed(secret, value.slice(0, value.lastIndexOf(":")));
}

/** A Fernet token of `length` bytes or a little less, made at `time` (Unix seconds). */
export function fernetToken(secret, { length, time, seed }) {
  const blocks = Math.floor(((length * 3) / 4 - 57) / 16);
  return fernetSealed(secret, Buffer.from(filler(blocks * 16 - 1, seed)), time);
}

function fernetSealed(secret, payload, time) {
  const [mac, key] = fernetKeys(secret);
  const head = Buffer.alloc(9, 0x80);
  head.writeBigUInt64BE(BigInt(time), 1);
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-128-cbc", key, iv);
  const signed = Buffer.concat([head, iv, cipher.update(payload), cipher.final()]);
  const token = Buffer.concat([signed, createHmac("sha256", mac).update(signed).digest()]).toString("base64");
  return token.replaceAll("+", "-").replaceAll("/", "_");
}

/** What a Fernet token says under a key: `TIME PAYLOAD`; or undefined. */
export function fernetRead(secret, value) {
  const [mac, key] = fernetKeys(secret);
  const token = Buffer.from(value, "base64url");
  const signed = token.subarray(0, -32);
  if (token.length < 73 || !timingSafeEqual(createHmac("sha256", mac).update(signed).digest(), token.subarray(-32)))
    return undefined;
  const decipher = createDecipheriv("aes-128-cbc", key, signed.subarray(9, 25));
  const payload = Buffer.concat([decipher.update(signed.subarray(25)), decipher.final()]);
  return `${signed.readBigUInt64BE(1)} ${payload.toString("latin1")}`;
}

/** The same token's content under another key. */
export function fernetResealed(from, to, value) {
  const [time, payload] = fernetRead(from, value).split(" ");
  return fernetSealed(to, Buffer.from(payload, "latin1"), Number(time));
}

function fernetKeys(secret) {
  const bytes = Buffer.from(secret, "base64url");
  return [bytes.subarray(0, 16), bytes.subarray(16)];
}

/** Letters as base64 of a session's JSON has them, other ones for each seed. */
function filler(length, seed) {
  let text = "";
  for (let block = 0; text.length < length; block += 1) {
    text += createHash("sha512").update(`${seed} ${block}`).digest("base64url");
  }
  return text.slice(0, length);
}

function base62(number) {
  let text = "";
  for (let rest = number; rest > 0; rest = Math.floor(rest / 62)) text = BASE62[rest % 62] + text;
  return text;
}
