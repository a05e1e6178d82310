// The peer: what a careful user would write in place of Countersign. Keys are imported once per isolate, nothing is
// copied that does not change, and every value is verified in constant time by the runtime's own WebCrypto.
// It knows one cookie and no look-alikes, no reports and no second copies.
import * as django from "./django.js";
import * as fernet from "./fernet.js";

const FORMATS = { django, fernet };
let ready;

export default {
  async fetch(request, env) {
    const { name, format, ring, origin } = await (ready ??= prepare(env));
    let forwarded = request;
    let due;
    const header = request.headers.get("cookie");
    if (header?.includes(name)) {
      const pairs = header.split("; ");
      const at = pairs.findIndex((pair) => isNamed(pair, name));
      if (at >= 0) {
        const content = await openUnderAny(format, ring, pairs[at].slice(name.length + 1), env.RULE.max_age);
        if (content) {
          pairs[at] = `${name}=${await format.seal(origin, content)}`;
          if (content.key > 0 && request.headers.get("sec-fetch-mode") === "navigate") due = content;
        } else pairs.splice(at, 1);
        forwarded = new Request(request);
        if (pairs.length) forwarded.headers.set("cookie", pairs.join("; "));
        else forwarded.headers.delete("cookie");
      }
    }
    const response = await fetch(forwarded);
    const sets = response.headers.has("set-cookie");
    if (!sets && !due) return response;
    const cookies = sets ? response.headers.getSetCookie() : [];
    let changed = false;
    for (const [at, cookie] of cookies.entries()) {
      if (!isNamed(cookie, name)) continue;
      const end = cookie.indexOf(";") < 0 ? cookie.length : cookie.indexOf(";");
      const content = await format.open(origin, cookie.slice(name.length + 1, end));
      due = undefined;
      if (!content) continue;
      cookies[at] = `${name}=${await format.seal(ring[0], content)}${cookie.slice(end)}`;
      changed = true;
    }
    if (!changed && !due) return response;
    const copy = new Response(response.body, response);
    if (changed) {
      const [first, ...others] = cookies;
      copy.headers.set("set-cookie", first); // which takes the others away
      for (const cookie of others) copy.headers.append("set-cookie", cookie);
    }
    if (due) {
      const left = env.RULE.max_age - (now() - due.time);
      const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${left}`;
      copy.headers.append("set-cookie", `${name}=${await format.seal(ring[0], due)}; ${attributes}`);
      copy.headers.append("cache-control", "private");
    }
    return copy;
  },
};

async function prepare(env) {
  const { name, format, ring, origin } = env.RULE;
  const keys = await Promise.all([origin, ...ring].map((secret) => FORMATS[format].keyed(env[secret])));
  return { name, format: FORMATS[format], origin: keys[0], ring: keys.slice(1) };
}

async function openUnderAny(format, ring, value, maxAge) {
  for (let key = 0; key < ring.length; key += 1) {
    const content = await format.open(ring[key], value);
    if (content) return now() - content.time <= maxAge ? { ...content, key } : undefined;
  }
}

const isNamed = (pair, name) => pair.startsWith(name) && pair[name.length] === "=";

const now = () => Math.floor(Date.now() / 1000);
