// The http-state working group's cookies and dates (in the npm package of tough-cookie 2.0.0), with tough-cookie as the
// client: what its jar holds, and what it shows the site, is the same through the Worker.
//
// Each case is three tests. In "alone" the Worker manages nothing of it. In "beside" a managed cookie stands beside it,
// so that both headers are written anew. In "managed" its name is managed, and its values are signed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inRoot } from "../../../src/build/tools.mjs";
import { answer, rawOrigin, send, worker } from "../../e2e/harness.mjs";

const require = createRequire(inRoot("tests/peers/package.json"));
const { CookieJar } = require("tough-cookie");
const signature = require("cookie-signature");

const DATA = inRoot("tests/peers/node_modules/tough-cookie-2/test/ietf_data");
const SECRETS = {
  NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81",
  ORIGIN_KEY: "origin-key-of-the-site-77c0be41d95a263f",
};
const HOST = "home.example.org";
const CONFIG = {
  mode: "enforce",
  reports: "none",
  keys: { current: "NEW_KEY", origin: "ORIGIN_KEY" },
  cookies: [{ name: "beside", format: "express", attributes: "Path=/" }],
};
const CONFIG_OF_FOO = { ...CONFIG, cookies: [{ name: "foo", format: "express", attributes: "Path=/" }] };

/** Resolves with what each test ends with, without the Worker and through it. */
export async function setCookie() {
  const ends = [];
  const t = { after: (end) => ends.push(end) };
  try {
    const site = await rawOrigin(t);
    const others = await worker(t, { origin: site, config: CONFIG, secrets: SECRETS });
    const own = await worker(t, { origin: site, config: CONFIG_OF_FOO, secrets: SECRETS });
    const tests = cases().flatMap(({ name, ...it }) => [
      { name: `${name} alone`, edge: others, ...it },
      { name: `${name} beside`, edge: others, ...it, received: [...it.received, `beside=${signed("beside")}; Path=/`] },
      ...managed(it).map((changed) => ({ name: `${name} managed`, edge: own, isManaged: true, ...changed })),
    ]);
    return [await outcomes(tests, site, () => site.port), await outcomes(tests, site, ({ edge }) => edge.port, true)];
  } finally {
    for (const end of ends) await end();
  }
}

function cases() {
  const read = (file) => JSON.parse(readFileSync(`${DATA}/${file}.json`, "utf8"));
  const parser = read("parser").map((it) => ({
    name: `parser ${it.test}`,
    path: `/cookie-parser?${it.test}`,
    then: new URL(it["sent-to"] ?? `/cookie-parser-result?${it.test}`, `http://${HOST}`),
    received: it.received.map(asBytes),
  }));
  const dates = ["dates/examples", "dates/bsd-examples"].flatMap((file) =>
    read(file).map(({ test }, n) => ({
      name: `${file} ${n + 1}`,
      path: "/",
      then: new URL(`http://${HOST}/`),
      received: [`foo=bar; Expires=${asBytes(test)}`],
    })),
  );
  return [...parser, ...dates];
}

/** The case with a signed value in each cookie that has the managed name, if there is one. */
function managed({ received, ...it }) {
  const changed = received.map((line, n) =>
    line.replace(/^(\s*foo\s*=)([^;]+)/, (_, name) => name + signed(`value ${n}`)),
  );
  return changed.some((line, n) => line !== received[n]) ? [{ ...it, received: changed }] : [];
}

async function outcomes(tests, site, portOf, isThrough = false) {
  const results = {};
  for (const test of tests) {
    const ofBrowser = isThrough ? "NEW_KEY" : "ORIGIN_KEY";
    const failed = ({ message }) => ({ outcome: message, resigned: 0 });
    const { outcome, resigned } = await visited(test, site, portOf(test), ofBrowser).catch(failed);
    results[test.name] = { outcome, why: "", exchanges: isThrough ? 2 : 0, resigned: isThrough ? resigned : 0 };
  }
  return results;
}

/** A page that sets the cookies, and one that is shown what the jar has then. */
async function visited({ path, then, received, isManaged }, site, port, ofBrowser) {
  const jar = new CookieJar();
  site.handle = () => answer("200 OK", received.map((line) => `Set-Cookie: ${line}`));
  const { status, setCookies } = await send(port, { host: HOST, path });
  const lines = setCookies.map((line) => line.replace(/^[ \t]+|[ \t]+$/g, ""));
  for (const line of lines) jar.setCookieSync(line, `http://${HOST}${path}`, { ignoreError: true });

  const shown = jar.getCookieStringSync(then.href);
  site.handle = () => answer("200 OK");
  await send(port, { host: then.host, path: then.pathname + then.search, ...(shown && { cookie: shown }) });
  const seen = site.last.cookie;
  const outcome = {
    status,
    // a deletion of a managed cookie has a second one behind it (S3), which the jar shows to be right
    ...(!isManaged && { lines: lines.map((line) => opened(line, ofBrowser)) }),
    jar: jar.serializeSync().cookies.map(asStored(ofBrowser)),
    seen: seen && opened(seen, "ORIGIN_KEY"),
  };
  const set = received.map((line) => line.trim());
  const anew = lines.filter((line) => !set.includes(line)).length;
  return { outcome: JSON.stringify(outcome), resigned: anew + (seen !== (shown || null)) };
}

/** A cookie of the jar, without the moment at which it came. */
const asStored = (ofBrowser) => ({ creation, lastAccessed, value, ...attributes }) => ({
  ...attributes,
  value: opened(value ?? "", ofBrowser),
});

const signed = (payload) => encodeURIComponent(`s:${signature.sign(payload, SECRETS.ORIGIN_KEY)}`);

/** A text with what its signed values hold, or that this key did not sign them. */
function opened(text, key) {
  return text.replace(/s%3A[^;"\s]+/g, (value) => {
    const payload = signature.unsign(decodeURIComponent(value).slice(2), SECRETS[key]);
    return payload ? `(signed: ${payload})` : `(signed by another key)`;
  });
}

const asBytes = (text) => Buffer.from(text, "utf8").toString("latin1");
