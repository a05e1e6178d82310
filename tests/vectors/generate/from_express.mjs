// Writes express-VERSION.jsonl: signed cookies of the installed Express with cookie-parser, of express-session, and values of
// the bare cookie-signature, each checked with the package that made it. (run.py installs them.)
import http from "node:http";
import { Draw, insist, require, same, save, SESSIONS, spoiled, tampered, TEXTS, version } from "./rows.mjs";

const express = require("express");
const cookieParser = require("cookie-parser");
const session = require("express-session");
const signature = require("cookie-signature");

const NAME = `express-${version("express")}`;
const COOKIES = ["sid", "connect.sid", "remember_1"];
const IDS = ["Bo6fW7gUMWsgjjOd0iw1fOygwylBGaXl", "a.b+/=%25", "user 1:é;"];
const BROKEN = ["100%", "%zz", "%E9", "%", "a%2"];

/** A use of the packages: how it signs and reads, and what a configuration says of it. A reader answers `{ data }` or nothing. */
const parser = {
  kind: "cookie-parser",
  config: { format: "express" },
  async sign(cookie, data, secret) {
    const response = Object.setPrototypeOf(new http.ServerResponse({ method: "GET" }), express.response);
    response.app = express();
    response.req = { secret };
    return valueIn(response.cookie(cookie, data, { signed: true }).get("Set-Cookie"), cookie);
  },
  async read(cookie, value, secret) {
    const request = { headers: { cookie: `${cookie}=${value}` } };
    cookieParser(secret)(request, {}, () => {});
    const data = request.signedCookies[cookie];
    return data === undefined || data === false ? undefined : { data };
  },
};
const sessions = {
  kind: "express-session",
  config: { format: "express" },
  async sign(cookie, id, secret) {
    const { response } = await inSession(cookie, secret, {}, () => id);
    response.writeHead(200);
    return valueIn(response.getHeader("Set-Cookie"), cookie);
  },
  async read(cookie, value, secret) {
    const { request } = await inSession(cookie, secret, { cookie: `${cookie}=${value}` }, () => "anew");
    return request.sessionID === "anew" ? undefined : { data: request.sessionID };
  },
};
const bare = {
  kind: "cookie-signature",
  config: { format: "cookie-signature" },
  sign: async (cookie, data, secret) => signature.sign(data, secret),
  async read(cookie, value, secret) {
    const data = signature.unsign(value, secret);
    return data === false ? undefined : { data };
  },
};

const rows = [];
for (const [name, data] of Object.entries(TEXTS)) rows.push(await row(`${NAME}-text-${name}`, parser, data));
for (const [name, data] of Object.entries(SESSIONS)) rows.push(await row(`${NAME}-object-${name}`, parser, data));
for (const [index, data] of BROKEN.entries()) rows.push(await row(`${NAME}-percent-${index}`, parser, data));
for (let turn = 0; turn < 6; turn++) rows.push(await row(`${NAME}-random-${turn}`, parser));
for (const [index, id] of IDS.entries()) rows.push(await row(`${NAME}-session-${index}`, sessions, id));
for (let turn = 0; turn < 4; turn++) rows.push(await row(`${NAME}-session-random-${turn}`, sessions));
for (const name of ["empty", "text", "dots", "long", "symbols"]) {
  rows.push(await row(`${NAME}-bare-${name}`, bare, TEXTS[name].replaceAll(/[ ",;\\]/g, "_")));
}
for (let turn = 0; turn < 4; turn++) rows.push(await row(`${NAME}-bare-random-${turn}`, bare));
save(NAME, rows);

async function row(id, use, given) {
  const draw = new Draw(id);
  const [key, other, cookie] = [draw.secret(8 + draw.below(60)), draw.secret(40), draw.one(COOKIES)];
  const data = given ?? draw.secret(1 + draw.below(60));
  const reads = (value, secret = key) => use.read(cookie, value, secret);
  const [value, otherValue] = [await use.sign(cookie, data, key), await use.sign(cookie, data, other)];
  insist(same(await reads(value), { data }), `${id} is read as something else`);
  insist(same(await reads(otherValue, other), { data }), `${id} is read as something else under the other key`);
  insist(!(await reads(value, other)), `${id} is accepted under the other key`);
  const isBare = use === bare;
  if (!isBare) insist(await reads(value, [other, key]), `${id} is not read under a list of secrets`);
  const text = isBare ? value : decodeURIComponent(value);
  const spoilt = spoilings(text, draw);
  const encoded = isBare ? spoilt : spoilt.map(encodeURIComponent);
  return {
    id, framework: framework(use.kind), config: use.config, cookie, key, other_key: other, value, other_value: otherValue,
    signed_at: null, payload: typeof data === "string" ? data : `j:${JSON.stringify(data)}`,
    tampered: await tampered(value, [...encoded, otherValue], (value) => reads(value)),
    also_accepted: isBare ? [] : await spellings(text, value, async (text) => same(await reads(text), { data })),
    notes: { kind: use.kind },
  };
}

/** The text changed anywhere, and its signature in other spellings. Without `s:` nothing is signed, so nothing is read. */
function spoilings(text, draw) {
  const dot = text.lastIndexOf(".");
  const [value, mac] = [text.slice(0, dot), text.slice(dot + 1)];
  const more = [
    `${value}.`, value, `${value}.${mac}=`, `${value}.${mac.toLowerCase()}`, `${value}. ${mac}`, `${value}..${mac}`,
    `${value}.${mac.replaceAll("+", "-").replaceAll("/", "_")}=`, `${value}x.${mac}`, `${value}.${mac}.${mac}`, `.${mac}`,
  ];
  return [...spoiled(text, ".", draw), ...more].filter((text) => text.isWellFormed());
}

/** Other percent-encodings of a value that are read as what it is. */
async function spellings(text, value, reads) {
  const found = [
    ...(/^[!#-+\--:<-[\]-~]*$/.test(text) ? [text] : []), // what a header can hold as it is
    value.replaceAll(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase()),
    value.replaceAll("%2F", "/").replaceAll("%2B", "+"),
    value.replace(".", "%2E"),
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  ];
  const accepted = [];
  for (const other of new Set(found)) if (other !== value && (await reads(other))) accepted.push(other);
  return accepted;
}

/** Runs express-session over one request; its store knows every session. */
function inSession(cookie, secret, headers, genid) {
  const store = new session.MemoryStore();
  store.get = (id, done) => done(null, { cookie: {} });
  const request = { method: "GET", url: "/", originalUrl: "/", headers, socket: {}, connection: {} };
  const response = new http.ServerResponse(request);
  const run = session({ name: cookie, secret, store, genid, resave: false, saveUninitialized: true });
  return new Promise((done, failed) => {
    run(request, response, (fault) => (fault ? failed(fault) : done({ request, response })));
  });
}

function valueIn(header, cookie) {
  const [pair] = [header].flat()[0].split(";");
  insist(pair.startsWith(`${cookie}=`), `another cookie: ${pair}`);
  return pair.slice(cookie.length + 1);
}

function framework(kind) {
  const on = kind === "cookie-signature" ? [] : ["express"];
  return [...new Set([kind, ...on, "cookie-signature"])].map((name) => `${name} ${version(name)}`).join(", ");
}
