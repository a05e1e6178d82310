// Writes fastify-secure-session-VERSION.jsonl: sessions of the installed @fastify/secure-session, each checked with it. (run.py
// installs it with fastify.)
import { at, Draw, insist, require, same, save, SESSIONS, spoiled, tampered, version } from "./rows.mjs";

const Fastify = require("fastify");
const secureSession = require("@fastify/secure-session");
const sodium = require("sodium-native");

const VERSION = version("@fastify/secure-session");
const NAME = `fastify-secure-session-${VERSION}`;
const COOKIE = "session";

const rows = [];
for (const [name, data] of Object.entries(SESSIONS)) rows.push(await row(`${NAME}-${name}`, data));
save(NAME, rows);

async function row(id, data) {
  const draw = new Draw(id);
  const [key, other, time] = [draw.bytes(32), draw.bytes(32), draw.time()];
  const [site, otherSite] = [await app(key, data), await app(other, data)];
  sodium.randombytes_buf = (nonce) => draw.bytes(nonce.length).copy(nonce);
  const value = await at(time, () => written(site));
  const reads = (text, site) => at(time + 60, () => read(site, text));
  insist(same(await reads(value, site), { ...data, __ts: time }), `${id} is read as something else`);
  insist((await reads(value, otherSite)) === undefined, `${id} is accepted under the other key`);
  const bare = decodeURIComponent(value);
  const spoilt = [...spoiled(bare, ";", draw), await at(time, () => written(otherSite)).then(decodeURIComponent)];
  const refusable = spoilt.filter((text) => !text.startsWith(bare)); // beyond its end the framework does not look
  return {
    id, framework: `@fastify/secure-session ${VERSION} (sodium-native ${version("sodium-native")})`,
    config: { format: "fastify-secure-session" }, cookie: COOKIE, key: key.toString("base64"), key_encoding: "base64",
    other_key: other.toString("base64"), value, other_value: null, signed_at: time, now: time + 60,
    payload: { ...data, __ts: time },
    tampered: await tampered(value, refusable.map(encodeURIComponent), (text) => reads(text, site)),
    also_accepted: [value.replaceAll("%2B", "+").replaceAll("%2F", "/").replaceAll("%3D", "=")],
    notes: { wire: "uri-component" },
  };
}

async function app(key, data) {
  const site = Fastify();
  site.register(secureSession, { key, cookieName: COOKIE, cookie: { path: "/" } });
  site.get("/write", (request, reply) => {
    for (const [name, value] of Object.entries(data)) request.session.set(name, value);
    request.session.touch();
    reply.send("");
  });
  await site.ready();
  return site;
}

async function written(site) {
  const { headers } = await site.inject("/write");
  return [headers["set-cookie"]].flat()[0].slice(COOKIE.length + 1).split(";")[0];
}

/** The session as the framework decodes it from a cookie, its time among the data, or nothing. */
function read(site, text) {
  const [cookie] = Object.values(site.parseCookie(`${COOKIE}=${text}`));
  const session = cookie && site.decodeSecureSession(cookie);
  return session ? { ...session.data(), __ts: session.get("__ts") } : undefined;
}
