// Writes hono-VERSION.jsonl: signed cookies of the installed Hono and of better-auth's better-call, each checked with
// both. (run.py installs the three.)
import { Draw, insist, require, same, save, spoiled, tampered, TEXTS, version } from "./rows.mjs";

const { Hono } = require("hono");
const { getSignedCookie, setSignedCookie } = require("hono/cookie");
const { createEndpoint, createRouter } = require("better-call");

const NAME = `hono-${version("hono")}`;
const MAKERS = {
  [`Hono ${version("hono")}`]: hono,
  [`better-auth ${version("better-auth")} (better-call ${version("better-call")})`]: betterCall,
};
const COOKIES = ["sid", "better-auth.session_token", "__Secure-better-auth.session_token"];
const BROKEN = ["100%", "%zz", "%E9", "%", "a%2", "s:100%"];

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const rows = [];
for (const [index, framework] of Object.keys(MAKERS).entries()) {
  // better-call does not read back the empty value that it writes
  const texts = Object.entries(TEXTS).filter(([, text]) => text || framework.startsWith("Hono"));
  for (const [name, text] of texts) rows.push(await row(`${NAME}-${name}-${index}`, text, framework));
  for (const [turn, text] of BROKEN.entries()) rows.push(await row(`${NAME}-percent-${turn}-${index}`, text, framework));
  for (let turn = 0; turn < 12; turn++) rows.push(await row(`${NAME}-random-${turn}-${index}`, undefined, framework));
}
save(NAME, rows);

async function row(id, given, framework) {
  const draw = new Draw(id);
  const [key, other, cookie] = [draw.secret(8 + draw.below(60)), draw.secret(40), draw.one(COOKIES)];
  const data = given ?? draw.secret(1 + draw.below(60));
  const [own, others] = [key, other].map((secret) => MAKERS[framework](cookie, secret));
  const makers = data ? Object.values(MAKERS) : [hono];
  const readers = (secret) => makers.map((make) => make(cookie, secret));
  const [value, otherValue] = [await own.sign(data), await others.sign(data)];
  for (const reader of readers(key)) {
    insist(same(await reader.read(value), { data }), `${id} is read as something else`);
    insist(!(await reader.read(otherValue)), `${id} is accepted under the other key`);
  }
  const text = decodeURIComponent(value);
  const readBySome = async (text) => (await Promise.all(readers(key).map((one) => one.read(text)))).some(Boolean);
  const readByAll = async (text) => {
    const found = await Promise.all(readers(key).map((one) => one.read(text)));
    return found.every((read) => same(read, { data }));
  };
  const spoilt = [...spoilings(text, draw).map(encodeURIComponent), otherValue];
  return {
    id, framework, config: { format: "hono" }, cookie, key, other_key: other,
    value, other_value: otherValue, signed_at: null, payload: data,
    tampered: await tampered(value, spoilt, readBySome),
    also_accepted: await spellings(text, value, readByAll),
  };
}

/** The text changed anywhere, and its signature in other spellings. */
function spoilings(text, draw) {
  const dot = text.lastIndexOf(".");
  const [value, mac] = [text.slice(0, dot), text.slice(dot + 1)];
  const more = [
    `${value}.`, value, mac, `.${mac}`, `${value}x.${mac}`, `${value}..${mac}`, `${value}. ${mac}`, `${value}.${mac}=`,
    `${value}.${mac.slice(0, -1)}`, `${value}.${mac}${mac}`, `${value}.${mac}.${mac}`, `${value}.${mac.toLowerCase()}`,
    `${value}.${mac.slice(0, -2)}==`, `${value}.${mac.slice(0, -2)} =`, `s:${text}`,
  ];
  const urlSafe = `${value}.${mac.replaceAll("+", "-").replaceAll("/", "_")}`;
  const found = [...spoiled(text, ".", draw), ...more, ...(urlSafe === text ? [] : [urlSafe])];
  return found.filter((text) => text.isWellFormed());
}

/** Other spellings of a value that both read as what it is. */
async function spellings(text, value, reads) {
  const last = ALPHABET.indexOf(text.at(-2));
  const found = [
    text,
    value.replaceAll(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase()),
    value.replace(/\.(?=[^.]*$)/, "%2E"),
    value.replace("%3D", "="),
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
    encodeURIComponent(`${text.slice(0, -2)}${ALPHABET[last + 1]}=`),
  ];
  const accepted = [];
  for (const other of new Set(found)) if (other !== value && stands(other) && (await reads(other))) accepted.push(other);
  return accepted;
}

/** Whether a header can hold the text as it is, and Hono reads it. */
function stands(text) {
  return /^[!#-:<-[\]-~]([ !#-:<-[\]-~]*[!#-:<-[\]-~])?$/.test(text);
}

/** A site of Hono that sets a signed cookie and reads it back. */
function hono(cookie, secret) {
  const app = new Hono();
  let given;
  app.get("/set", async (context) => {
    await setSignedCookie(context, cookie, given, secret, { secure: true });
    return context.text("");
  });
  app.get("/read", async (context) => context.json({ data: textOf(await getSignedCookie(context, secret, cookie)) }));
  return site(cookie, (text) => (given = text), (request) => app.fetch(request));
}

/** The same of better-call, which better-auth is built on. */
function betterCall(cookie, secret) {
  let given;
  const set = createEndpoint("/set", { method: "GET" }, async (context) => {
    await context.setSignedCookie(cookie, given, secret, { secure: true });
    return {};
  });
  const read = createEndpoint("/read", { method: "GET" }, async (context) => ({
    data: textOf(await context.getSignedCookie(cookie, secret)),
  }));
  return site(cookie, (text) => (given = text), createRouter({ set, read }).handler);
}

/** What was read, where anything was. */
function textOf(data) {
  return typeof data === "string" ? data : null;
}

function site(cookie, give, handle) {
  return {
    async sign(data) {
      give(data);
      const response = await handle(new Request("http://site/set"));
      const [pair] = response.headers.get("set-cookie").split(";");
      insist(pair.startsWith(`${cookie}=`), `another cookie: ${pair}`);
      return pair.slice(cookie.length + 1);
    },
    async read(value) {
      const headers = { cookie: `${cookie}=${value}` };
      const { data } = await (await handle(new Request("http://site/read", { headers }))).json();
      return data === null ? undefined : { data };
    },
  };
}
