// Writes fastify-cookie-VERSION.jsonl: signed cookies of the installed @fastify/cookie under Fastify, each checked with it.
// (run.py installs the two.)
import { Draw, insist, require, same, save, spoiled, tampered, TEXTS, version } from "./rows.mjs";

const fastify = require("fastify");
const plugin = require("@fastify/cookie");

const NAME = `fastify-cookie-${version("@fastify/cookie")}`;
const DIGESTS = ["sha256", "sha1", "sha512", "sha384"];
const COOKIES = ["sid", "shop.sid", "remember_1"];
const BROKEN = ["100%", "%zz", "%E9", "%", "a%2", "s:100%"];

const rows = [];
for (const [name, text] of Object.entries(TEXTS)) {
  for (const turn of [0, 1]) rows.push(await row(`${NAME}-${name}-${turn}`, text, DIGESTS[turn && rows.length % 4]));
}
for (const [index, text] of BROKEN.entries()) rows.push(await row(`${NAME}-percent-${index}`, text, "sha256"));
for (const digest of DIGESTS) {
  for (let turn = 0; turn < 3; turn++) rows.push(await row(`${NAME}-random-${digest}-${turn}`, undefined, digest));
}
save(NAME, rows);

async function row(id, given, digest) {
  const draw = new Draw(id);
  const [key, other, cookie] = [draw.secret(8 + draw.below(60)), draw.secret(40), draw.one(COOKIES)];
  const data = given ?? draw.secret(1 + draw.below(60));
  const under = (secret) => site(cookie, secret, digest);
  const [own, others, listed] = await Promise.all([under(key), under(other), under([other, key])]);
  const [value, otherValue] = [await own.sign(data), await others.sign(data)];
  insist(same(await own.read(value), { data }), `${id} is read as something else`);
  insist(same(await others.read(otherValue), { data }), `${id} is read as something else under the other key`);
  insist(!(await others.read(value)), `${id} is accepted under the other key`);
  insist(same(await listed.read(value), { data }), `${id} is not read under a list of secrets`);
  const text = decoded(value);
  const spoilt = [...spoilings(text, draw).map((text) => (text === decoded(text) ? text : encodeURIComponent(text))), otherValue];
  return {
    id, framework: `@fastify/cookie ${version("@fastify/cookie")}, fastify ${version("fastify")}`,
    config: { format: "fastify-cookie", ...(digest === "sha256" ? {} : { digest }) }, cookie, key, other_key: other,
    value, other_value: otherValue, signed_at: null, payload: data,
    tampered: await tampered(value, spoilt.filter(stands), own.read),
    also_accepted: await spellings(text, value, async (text) => same(await own.read(text), { data })),
  };
}

/** The text changed anywhere, and its signature in other spellings. */
function spoilings(text, draw) {
  const dot = text.lastIndexOf(".");
  const [value, mac] = [text.slice(0, dot), text.slice(dot + 1)];
  const more = [
    `${value}.`, value, `${value}.${mac}=`, `${value}.${mac.toLowerCase()}`, `${value}. ${mac}`, `${value}..${mac}`,
    `${value}.${mac.replaceAll("+", "-").replaceAll("/", "_")}=`, `${value}x.${mac}`, `${value}.${mac}.${mac}`, `.${mac}`,
    `s:${text}`,
  ];
  return [...spoiled(text, ".", draw), ...more].filter((text) => text.isWellFormed());
}

/** Other percent-encodings of a value that are read as what it is. */
async function spellings(text, value, reads) {
  const found = [
    text,
    encodeURIComponent(text),
    value.replaceAll(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase()),
    value.replace(/\.(?=[^.]*$)/, "%2E"),
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  ];
  const accepted = [];
  for (const other of new Set(found)) if (other !== value && stands(other) && (await reads(other))) accepted.push(other);
  return accepted;
}

/** Whether a header can hold the text as it is. */
function stands(text) {
  return /^[!#-+\--:<-[\]-~]*$/.test(text);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A site that sets a signed cookie and reads it back. */
async function site(cookie, secret, algorithm) {
  const app = fastify();
  await app.register(plugin, { secret, algorithm });
  let given;
  app.get("/set", (request, reply) => reply.setCookie(cookie, given, { signed: true }).send());
  app.get("/read", (request, reply) => reply.send(request.unsignCookie(request.cookies[cookie] ?? "")));
  return {
    async sign(data) {
      given = data;
      const [pair] = [(await app.inject("/set")).headers["set-cookie"]].flat()[0].split(";");
      insist(pair.startsWith(`${cookie}=`), `another cookie: ${pair}`);
      return pair.slice(cookie.length + 1);
    },
    async read(value) {
      const { valid, value: data } = (await app.inject({ url: "/read", headers: { cookie: `${cookie}=${value}` } })).json();
      return valid ? { data } : undefined;
    },
  };
}
