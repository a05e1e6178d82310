// Writes react-router-VERSION.jsonl: sessions of the installed React Router in signed cookies, each checked with it. (run.py
// installs it.)
import { Draw, insist, require, same, save, SESSIONS, spoiled, tampered, version } from "./rows.mjs";

const { createCookie, createCookieSessionStorage } = require("react-router");

const NAME = `react-router-${version("react-router")}`;
const COOKIE = "__session";

const rows = [];
for (const [name, data] of Object.entries(SESSIONS)) {
  for (const turn of [0, 1]) rows.push(await row(`${NAME}-${name}-${turn}`, data));
}
save(NAME, rows);

async function row(id, data) {
  const draw = new Draw(id);
  const [key, other] = [draw.secret(8 + draw.below(60)), draw.secret(40)];
  const [own, others, listed] = [site(key), site(other), site(other, key)];
  const [value, otherValue] = [await own.write(data), await others.write(data)];
  insist(same(await own.read(value), data), `${id} is read as something else`);
  insist(same(await others.read(otherValue), data), `${id} is read as something else under the other key`);
  insist(same(await listed.read(value), data), `${id} is not read under a list of secrets`);
  insist(!(await own.isSigned(otherValue)), `${id} is accepted under the other key`);
  const text = decodeURIComponent(value);
  const dot = text.lastIndexOf(".");
  const [payload, mac] = [text.slice(0, dot), text.slice(dot + 1)];
  const spoilt = [
    ...spoiled(text, ".", draw), `${payload}.`, payload, mac, `.${mac}`, `${payload}x.${mac}`,
    `${payload}.${mac.toLowerCase()}`, `${payload}..${mac}`, `s:${text}`,
  ];
  return {
    id, framework: `React Router ${version("react-router")}`, config: { format: "fastify-cookie", encoded: true },
    cookie: COOKIE, key, other_key: other, value, other_value: otherValue, signed_at: null, payload: data,
    tampered: await tampered(value, [...spoilt.map(encodeURIComponent), otherValue], own.isSigned),
    also_accepted: [text, value.replaceAll(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase())]
      .filter((spelled, at, all) => spelled !== value && all.indexOf(spelled) === at),
  };
}

function site(...secrets) {
  const options = { name: COOKIE, secrets, path: "/", httpOnly: true, secure: true };
  const storage = createCookieSessionStorage({ cookie: options });
  const session = (text) => storage.getSession(`${COOKIE}=${text}`);
  return {
    async write(data) {
      const session = await storage.getSession();
      for (const [name, value] of Object.entries(data)) session.set(name, value);
      return (await storage.commitSession(session)).split(";")[0].slice(COOKIE.length + 1);
    },
    read: async (text) => (await session(text)).data,
    /** Whether the cookie's signature is right, which an empty session does not tell. */
    isSigned: async (text) => Boolean(await createCookie(COOKIE, options).parse(`${COOKIE}=${text}`)),
  };
}
