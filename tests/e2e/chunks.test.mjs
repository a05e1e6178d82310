// Cookies in pieces, behind the real frameworks: Auth.js's SessionStore and h3's useSession, through a rotation.
import assert from "node:assert/strict";
import test from "node:test";
import * as auth from "../node_modules/@auth/core/lib/utils/cookie.js";
import * as h3 from "h3-2";
import { parse, serialize } from "cookie";
import { answer, browser, rawOrigin, SECRETS, worker } from "./harness.mjs";

const ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax";
const LENGTHS = [10, 9000, 4500, 3700, 3900, 8000, 10];
const text = (length) => Array.from({ length }, (_, at) => String.fromCharCode(97 + ((at * 7) % 26))).join("");

/** The ring of each step: the origin's own key alone, a new one staged, promoted, and the old one retired. */
const RINGS = [
  { current: "ORIGIN_KEY" },
  { current: "ORIGIN_KEY", fallbacks: ["NEW_KEY"] },
  { current: "NEW_KEY", fallbacks: ["ORIGIN_KEY"] },
  { current: "NEW_KEY" },
];

/** Goes through a rotation; `sees` is what the site reads of the session, or nothing where there is none. */
async function rotate(t, { rule, origin, names }) {
  const versions = [];
  for (const ring of RINGS) {
    const config = { mode: "enforce", keys: { ...ring, origin: "ORIGIN_KEY" }, cookies: [rule] };
    versions.push(await worker(t, { config, secrets: SECRETS, origin }));
  }
  const visitor = browser(versions[0]);
  const sees = async () => (await visitor.go("/")).body.toString();
  assert.equal(await sees(), "");
  for (const length of LENGTHS) {
    for (const version of versions) {
      visitor.at = version;
      await visitor.fetch(`/set?${length}`);
      assert.equal(await sees(), text(length), `${length}: set`);
    }
    // the same session through all of the rotation: an upgrade moves it
    visitor.jar.length = 0;
    visitor.at = versions[0];
    await visitor.fetch(`/set?${length}`);
    for (const version of versions) {
      visitor.at = version;
      assert.equal(await sees(), text(length), `${length}: kept`);
      assert.equal(await sees(), text(length), `${length}: kept`);
    }
    const before = visitor.jar.map(({ name }) => name);
    assert.ok(before.length === 1 || length > 3000, `${before}`);
    // what another host plants neither masks nor adds
    for (const name of names) {
      visitor.jar.unshift({ name, value: "planted", path: "/", domain: "shop.example" });
      assert.equal(await sees(), text(length), `${name} planted`);
      visitor.jar.shift();
    }
    await visitor.fetch("/end");
    assert.deepEqual(visitor.jar.map(({ name }) => name), [], `${length}: nothing is left`);
    assert.equal(await sees(), "");
  }
  for (const name of names) visitor.jar.push({ name, value: "planted", path: "/", domain: "" });
  assert.equal(await sees(), "", "what nobody sealed does not reach the site");
}

// what `parseInt` makes a number of, and what parsers trim, fold or decode
const ODD = [".00", ".01", ".1e1", ".-1", ".+1", ".0x1", ". 1", ".1 ", " .1", ".%31", ".100", ".101", "_1", "[1]"];

const name = "authjs.session-token";
const logger = { debug() {} };

/** A site that keeps its session with Auth.js's own store, unsigned, so that whatever passes the gate would count. */
const withSessionStore = (request) => {
  const cookies = request.cookie ? parse(request.cookie) : {};
  const store = new auth.SessionStore({ name, options: { path: "/", httpOnly: true, sameSite: "lax" } }, cookies, logger);
  const [path, length] = request.path.split("?");
  const lines = { "/set": () => store.chunk(text(Number(length)), {}), "/end": () => store.clean() }[path]?.() ?? [];
  const headers = lines.map(({ name, value, options }) => `Set-Cookie: ${serialize(name, value, options)}`);
  return answer("200 OK", headers, lines.length ? "" : (store.value ?? ""));
};

test("Auth.js keeps its session through a rotation, however long it is", async (t) => {
  const origin = await rawOrigin(t, withSessionStore);
  for (const format of ["sealed", "django-signed-cookie"]) {
    const rule = { name, format, origin: { format: "plain" }, chunks: "auth.js", attributes: ATTRIBUTES };
    const names = [name, ...[".0", ".1", ".2", ".3", ...ODD, "x", "-y", ".0.1", "..0"].map((end) => name + end)];
    await rotate(t, { rule, origin, names });
  }
});

// the iterations of h3 1, which this rule's format has
const once = (algorithm) => ({ algorithm, iterations: 1, saltBits: 256, minPasswordlength: 32 });
const SEAL = { encryption: once("aes-256-cbc"), integrity: once("sha256") };

test("h3 keeps its session through a rotation, however long it is", async (t) => {
  const config = { name: "h3", password: SECRETS.ORIGIN_KEY, cookie: { secure: false, sameSite: "lax" }, seal: SEAL };
  const app = new h3.H3();
  const session = (event) => h3.useSession(event, config);
  app.get("/set", async (event) => {
    await (await session(event)).update({ text: text(Number(event.url.search.slice(1))) });
    return "";
  });
  app.get("/end", async (event) => {
    await (await session(event)).clear();
    return "";
  });
  app.get("/", async (event) => (await session(event)).data.text ?? "");
  const origin = await rawOrigin(t, async (request) => {
    const headers = request.cookie ? { cookie: request.cookie } : {};
    const reply = await app.request(`http://shop.example${request.path}`, { headers });
    const lines = reply.headers.getSetCookie().map((line) => `Set-Cookie: ${line}`);
    return answer("200 OK", lines, await reply.text());
  });
  const rule = { name: "h3", format: "iron", chunks: "h3", attributes: ATTRIBUTES };
  const names = ["h3", ...[".0", ".1", ".2", ".3", ".4", ...ODD].map((end) => `h3${end}`)];
  await rotate(t, { rule, origin, names });
});
