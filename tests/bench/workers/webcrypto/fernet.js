// Fernet tokens: base64url(0x80 TIME IV AES-128-CBC HMAC-SHA256), the key base64url(SIGNING ENCRYPTION).
import { bytesOf, textOf } from "./base64url.js";

const HMAC = { name: "HMAC", hash: "SHA-256" };

export async function keyed(secret) {
  const bytes = bytesOf(secret);
  const [mac, cipher] = await Promise.all([
    crypto.subtle.importKey("raw", bytes.subarray(0, 16), HMAC, false, ["sign", "verify"]),
    crypto.subtle.importKey("raw", bytes.subarray(16), "AES-CBC", false, ["encrypt", "decrypt"]),
  ]);
  return { mac, cipher };
}

export async function open(key, value) {
  const token = bytesOf(value);
  if (!token || token.length < 73 || token[0] !== 0x80) return undefined;
  const end = token.length - 32;
  if (!(await crypto.subtle.verify("HMAC", key.mac, token.subarray(end), token.subarray(0, end)))) return undefined;
  const payload = await crypto.subtle.decrypt(
    { name: "AES-CBC", iv: token.subarray(9, 25) },
    key.cipher,
    token.subarray(25, end),
  );
  return { payload, time: Number(new DataView(token.buffer, token.byteOffset).getBigUint64(1)) };
}

export async function seal(key, { payload, time }) {
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const encrypted = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key.cipher, payload));
  const token = new Uint8Array(25 + encrypted.length + 32);
  token[0] = 0x80;
  new DataView(token.buffer).setBigUint64(1, BigInt(time));
  token.set(iv, 9);
  token.set(encrypted, 25);
  const signed = token.subarray(0, token.length - 32);
  token.set(new Uint8Array(await crypto.subtle.sign("HMAC", key.mac, signed)), signed.length);
  return textOf(token, true);
}
