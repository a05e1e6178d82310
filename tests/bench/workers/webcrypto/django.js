// Django's signed-cookie sessions: PAYLOAD ":" TIME ":" base64url(HMAC-SHA256(...)).
import { bytesOf, textOf } from "./base64url.js";

const SALT = "django.contrib.sessions.backends.signed_cookiessigner";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HMAC = { name: "HMAC", hash: "SHA-256" };
const encoder = new TextEncoder();

export async function keyed(secret) {
  const derived = await crypto.subtle.digest("SHA-256", encoder.encode(SALT + secret));
  return crypto.subtle.importKey("raw", derived, HMAC, false, ["sign", "verify"]);
}

export async function open(key, value) {
  const end = value.lastIndexOf(":");
  const start = value.lastIndexOf(":", end - 1);
  const signature = bytesOf(value.slice(end + 1));
  if (start < 0 || !signature) return undefined;
  const signed = value.slice(0, end);
  if (!(await crypto.subtle.verify("HMAC", key, signature, encoder.encode(signed)))) return undefined;
  let time = 0;
  for (const digit of value.slice(start + 1, end)) time = time * 62 + BASE62.indexOf(digit);
  return { signed, time };
}

export async function seal(key, { signed }) {
  return `${signed}:${textOf(await crypto.subtle.sign("HMAC", key, encoder.encode(signed)))}`;
}
