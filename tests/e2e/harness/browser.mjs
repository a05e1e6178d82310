// A visitor: keeps cookies as a browser does, as far as the tests need it, and sends what a navigation sends.
import { send } from "./client.mjs";

/** A visitor of whatever listens on `at.port`; `at` may be replaced, the cookies stay. */
export function browser(at) {
  const jar = [];

  const visitor = {
    at,
    jar,
    /** The value of a cookie in the jar, or undefined. */
    cookie: (name) => jar.find((cookie) => cookie.name === name)?.value,
    set: (setCookie) => keep(jar, parseSetCookie(setCookie)),
    /** Goes somewhere as a browser goes to a page; redirects are not followed. */
    go: (path, options = {}) => visitor.fetch(path, { ...options, headers: { ...NAVIGATION, ...options.headers } }),
    /** Sends a request as a script of the page does. */
    async fetch(path, options = {}) {
      const cookie = cookieHeader(jar, path);
      const answer = await send(visitor.at.port, { path, ...options, ...(cookie && { cookie }) });
      answer.setCookies.forEach(visitor.set);
      return answer;
    },
  };
  return visitor;
}

/** What every current browser sends when a visitor opens a page. */
export const NAVIGATION = {
  Accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "none",
};

/** A Set-Cookie header taken apart: `{name, value, path, domain, maxAge, expires, attributes}`. */
export function parseSetCookie(setCookie) {
  const [pair, ...attributes] = setCookie.split(";").map((part) => part.trim());
  const equals = pair.indexOf("=");
  const cookie = { name: pair.slice(0, equals), value: pair.slice(equals + 1), path: "/", domain: "", attributes };
  for (const attribute of attributes) {
    const [name, value = ""] = attribute.split("=");
    if (/^path$/i.test(name)) cookie.path = value;
    if (/^domain$/i.test(name)) cookie.domain = value;
    if (/^max-age$/i.test(name)) cookie.maxAge = Number(value);
    if (/^expires$/i.test(name)) cookie.expires = Date.parse(value);
  }
  return cookie;
}

function keep(jar, cookie) {
  const same = jar.findIndex((c) => c.name === cookie.name && c.path === cookie.path && c.domain === cookie.domain);
  if (same >= 0) jar.splice(same, 1);
  const isGone =
    cookie.maxAge !== undefined ? cookie.maxAge <= 0 : cookie.expires !== undefined && cookie.expires <= Date.now();
  if (!isGone) jar.push(cookie);
}

function cookieHeader(jar, path) {
  const matches = (prefix) => path.startsWith(prefix);
  // longer paths first, as browsers send them
  const sent = jar.filter((cookie) => matches(cookie.path)).sort((a, b) => b.path.length - a.path.length);
  return sent.map(({ name, value }) => `${name}=${value}`).join("; ");
}
