// Writes keygrip-VERSION.jsonl: pairs of cookies of the installed keygrip with cookies, Koa, koa-session and cookie-session, each
// checked with the package that made it. (run.py installs them.)
import http from "node:http";
import { at, Draw, insist, require, same, save, SESSIONS, TEXTS, version } from "./rows.mjs";

const Keygrip = require("keygrip");
const Cookies = require("cookies");
const Koa = require("koa");
const koaSession = require("koa-session").createSession ?? require("koa-session");
const cookieSession = require("cookie-session");

const NAME = `keygrip-${version("keygrip")}`;
const COOKIES = ["sid", "koa.sess", "remember_1"];
const OPTIONS = [{}, { digest: "sha256" }, { digest: "sha512" }, { encoding: "hex" }, { digest: "sha256", encoding: "hex" }];
const LATIN1 = "each character of value is one byte on the wire (ISO-8859-1); the MAC is over UTF-8";
// what `cookies` writes as it is and reads back; an empty value deletes the cookie, and is signed like any other
const VALUES = {
  empty: "",
  text: "plain text",
  dots: TEXTS.dots,
  symbols: "!#$&'()*+,/:=?@[]\"\\|~%2E",
  "quote-inside": 'a"b"',
  escaped: TEXTS.escaped,
  long: TEXTS.long,
  latin1: "Zoë-café",
};

/** A use of the packages: how it writes and reads. A reader answers `{ data }` or nothing. */
const cookies = {
  packages: ["cookies"],
  write: async (name, data, keys, response) => new Cookies(request(), response, { keys }).set(name, data, { signed: true }),
  async read(name, header, keys) {
    const jar = new Cookies(request(header), new http.ServerResponse({}), { keys });
    return found(jar.get(name, { signed: true }));
  },
};
const koa = {
  packages: ["koa", "cookies"],
  write: async (name, data, keys, response) => context(keys, "", response).cookies.set(name, data, { signed: true }),
  read: async (name, header, keys) => found(context(keys, header).cookies.get(name, { signed: true })),
};
const koaSessions = {
  packages: ["koa-session", "koa", "cookies"],
  write: (name, data, keys, response) => inKoaSession(name, keys, "", response, (ctx) => Object.assign(ctx.session, data)),
  async read(name, header, keys) {
    let data;
    await inKoaSession(name, keys, header, undefined, ({ session }) => {
      if (!session.isNew) data = session.toJSON();
    });
    return found(data);
  },
};
const cookieSessions = {
  packages: ["cookie-session", "cookies"],
  async write(name, data, keys, response) {
    const { session } = await inCookieSession(name, keys, "", response);
    Object.assign(session, data);
    response.writeHead(200);
  },
  async read(name, header, keys) {
    const { session } = await inCookieSession(name, keys, header, new http.ServerResponse({}));
    return session.isNew ? undefined : { data: { ...session } };
  },
};

const rows = [];
for (const [name, data] of Object.entries(VALUES)) {
  for (const use of [cookies, koa]) {
    rows.push(await row(`${NAME}-${use.packages[0]}-${name}`, use, data, OPTIONS[rows.length % OPTIONS.length]));
  }
}
for (const options of OPTIONS) {
  for (let turn = 0; turn < 3; turn++) rows.push(await row(`${NAME}-random-${rows.length}`, cookies, undefined, options));
}
for (const [name, data] of Object.entries(SESSIONS)) {
  if (name === "empty") continue; // which neither of them writes
  for (const use of [koaSessions, cookieSessions]) {
    for (const options of [{}, OPTIONS[1 + (rows.length % 4)]]) {
      rows.push(await row(`${NAME}-${use.packages[0]}-${name}-${Object.keys(options).length}`, use, data, options));
    }
  }
}
save(NAME, rows);

async function row(id, use, given, options) {
  const draw = new Draw(id);
  const [key, other, cookie, time] = [draw.secret(8 + draw.below(60)), draw.secret(40), draw.one(COOKIES), draw.time()];
  const data = given ?? draw.secret(1 + draw.below(60));
  const keys = (list) => new Keygrip(list, options.digest, options.encoding);
  const write = (list, name = cookie) => at(time, () => written(use, name, data, keys(list)));
  const reads = ([value, signature], list = [key]) => {
    const header = `${cookie}=${value}${signature ? `; ${cookie}.sig=${signature}` : ""}`;
    return at(time + 60, () => use.read(cookie, header, keys(list)));
  };
  const [pair, otherPair] = [await write([key]), await write([other])];
  insist(same(await reads(pair), { data }), `${id} is read as something else`);
  insist(same(await reads(otherPair, [other]), { data }), `${id} is read as something else under the other key`);
  insist(!(await reads(pair, [other])), `${id} is accepted under the other key`);
  insist(same(await reads(pair, [other, key]), { data }), `${id} is not read under a list of keys`);
  const [value, signature] = pair;
  const fields = ([value, sig_value]) => ({ value, sig_value });
  const spoilt = [...spoilings(value, signature, draw), otherPair, await write([key], `${cookie}x`)];
  const quoted = [`"${value}"`, signature];
  const others = spoilt.filter((other) => !same(other, pair));
  for (const other of others) insist(!(await reads(other)), `${id} is accepted though tampered: ${other}`);
  insist(same(await reads(quoted), { data }), `${id} is not read in quotes`);
  return {
    id, framework: ["keygrip", ...use.packages].map((name) => `${name} ${version(name)}`).join(", "),
    config: { format: "keygrip", ...options }, cookie, sig_cookie: `${cookie}.sig`, key, other_key: other,
    value, sig_value: signature, other_value: otherPair[0], other_sig_value: otherPair[1], signed_at: null, now: time + 60,
    payload: data, tampered: others.map(fields), also_accepted: [fields(quoted)],
    notes: { kind: use.packages[0], ...(/^[ -~]*$/.test(value) ? {} : { wire: LATIN1 }) },
  };
}

/** The value changed under its signature, the signature changed or in another spelling, and the two put elsewhere. */
function spoilings(value, signature, draw) {
  const spot = draw.below(Math.max(1, value.length));
  const values = [`${value}x`, `x${value}`, value.slice(0, spot), value.slice(0, -1), value.toUpperCase(), `${value}=`,
    `${value.slice(0, spot)}${value[spot] === "A" ? "B" : "A"}${value.slice(spot + 1)}`, `'${value}'`, signature];
  const at = draw.below(signature.length);
  const signatures = ["", `${signature}=`, `${signature}A`, `A${signature}`, signature.slice(0, -1), signature.slice(1),
    signature.toUpperCase(), signature.toLowerCase(), `${signature}.${signature}`, "A".repeat(signature.length),
    `${signature.slice(0, at)}${signature[at] === "a" ? "b" : "a"}${signature.slice(at + 1)}`,
    signature.replaceAll("-", "+").replaceAll("_", "/"), value];
  return [
    ...values.filter((other) => other !== value).map((other) => [other, signature]),
    ...signatures.filter((other) => other !== signature).map((other) => [value, other]),
    [signature, value],
  ];
}

function found(data) {
  return data === undefined ? undefined : { data };
}

/** The two cookies of one response: value and signature. */
async function written(use, name, data, keys) {
  const response = new http.ServerResponse({ headers: {} });
  await use.write(name, data, keys, response);
  const texts = response.getHeader("Set-Cookie").map((header) => header.split(";")[0]);
  const starts = [`${name}=`, `${name}.sig=`];
  insist(texts.length === 2 && starts.every((start, i) => texts[i].startsWith(start)), `other cookies: ${texts}`);
  return texts.map((text, i) => text.slice(starts[i].length));
}

function request(cookie) {
  return { method: "GET", url: "/", headers: { cookie }, socket: {} };
}

function context(keys, header, response = new http.ServerResponse({})) {
  const app = new Koa();
  app.keys = keys;
  return app.createContext(request(header), response);
}

async function inKoaSession(name, keys, header, response, work) {
  const ctx = context(keys, header, response);
  await koaSession({ key: name }, ctx.app)(ctx, async () => work(ctx));
}

function inCookieSession(name, keys, header, response) {
  const asked = request(header);
  return new Promise((done, failed) => {
    cookieSession({ name, keys })(asked, response, (fault) => (fault ? failed(fault) : done(asked)));
  });
}
