// Each rule to paste of docs/formats.md in front of the real site, with the lifetime that the site sets by default and,
// where the document has a line for it, with one that the site is told to set: the site's Set-Cookie is understood, its
// attributes are those of the rule, and an upgrade has them too.
import assert from "node:assert/strict";
import test from "node:test";
import { FRAMEWORKS } from "./frameworks/table.mjs";
import { browser, parseSetCookie, pinned, SECRETS, tapped, worker } from "./harness.mjs";
import { program, served } from "./harness/processes.mjs";

for (const framework of FRAMEWORKS) {
  const command = framework.command();
  const skip = !command && `not installed (Debian: ${framework.needs})`;
  const { name, rule, lasting } = framework;
  test(`${name}, as pasted`, { skip }, (t) => holds(t, framework, command, rule));
  if (lasting) test(`${name}, with a lifetime`, { skip }, (t) => holds(t, framework, command, lasting));
}

async function holds(t, framework, command, rule) {
  const { secrets, site } = await started(t, framework, command, rule);
  const origin = await tapped(t, site);
  const edge = await worker(t, { origin, ...ring(framework, rule, secrets, "ORIGIN_KEY") });
  const ada = browser(edge);

  const login = await ada.go("/login?user=ada");
  const set = cookiesOf(rule, login);
  assert.notEqual(set.length, 0, `the site sets no ${rule.name}`);
  for (const cookie of set) isAs(rule, cookie);
  const verdicts = await verdictsOf(edge);
  assert.ok(verdicts.includes("sealed"), verdicts.join());
  assert.deepEqual(verdicts.filter(isWrong), []);

  await edge.restart(ring(framework, rule, secrets, "NEW_KEY", "ORIGIN_KEY"));
  const before = (await edge.reports()).length;
  const page = await ada.go("/");
  assert.equal(page.text, "ada");
  const reports = (await edge.reports(before + 1)).slice(before).flatMap((report) => report.verdicts);
  const upgrade = reports.find(({ verdict }) => verdict.startsWith("upgrade"));
  // a site that sets its cookie with each page moves it to the new key itself
  if (upgrade?.reason !== "response-sets-cookie") assert.equal(upgrade?.verdict, "upgraded", JSON.stringify(reports));
  for (const cookie of cookiesOf(rule, page)) isAs(rule, cookie);
  assert.deepEqual(cookiesOf(rule, page).map(({ name }) => name), set.map(({ name }) => name));
  assert.deepEqual(reports.map(({ verdict }) => verdict).filter(isWrong), []);
}

async function started(t, framework, command, rule) {
  const secrets = { ...SECRETS, ...framework.keys };
  const LIFETIME = rule === framework.lasting && { LIFETIME: String(setBy(rule).maxAge) };
  const env = { ORIGIN_KEY: secrets.ORIGIN_KEY, ORIGIN_KEY_ID: "ORIGIN_KEY", ...LIFETIME };
  return { secrets, site: await served(t, program(command, env)) };
}

function ring({ encoding }, rule, secrets, current, ...fallbacks) {
  const key = (secret) => (encoding ? { secret, encoding } : secret);
  const keys = { current: key(current), fallbacks: fallbacks.map(key), origin: key("ORIGIN_KEY") };
  return { config: pinned({ keys, cookies: [rule] }), secrets };
}

/** What a response sets under the rule's name: the cookie, and its signature where that is one of its own. */
const cookiesOf = ({ name }, { setCookies }) =>
  setCookies.map(parseSetCookie).filter((cookie) => [name, `${name}.sig`].includes(cookie.name));

/** The cookie's attributes are those of the rule, an Expires being as long a Max-Age. */
function isAs(rule, cookie) {
  const expected = setBy(rule);
  assert.deepEqual(asSet(cookie), asSet(expected), cookie.attributes.join("; "));
  const [lasts, should] = [lifetime(cookie), lifetime(expected)];
  assert.equal(lasts === undefined, should === undefined, `${cookie.attributes.join("; ")}, not ${rule.attributes}`);
  if (should) assert.ok(should - 120 < lasts && lasts <= should, `${lasts} s, and the rule says ${should} s`);
}

const setBy = ({ name, attributes }) => parseSetCookie(`${name}=x; ${attributes}`);

function asSet({ path, domain, attributes }) {
  const has = (attribute) => attributes.some((found) => found.toLowerCase() === attribute);
  const sameSite = attributes.find((attribute) => /^samesite=/i.test(attribute))?.toLowerCase();
  return { path, domain, secure: has("secure"), httpOnly: has("httponly"), partitioned: has("partitioned"), sameSite };
}

/** How long a cookie lasts, in seconds; undefined where it ends with the browser. */
const lifetime = ({ maxAge, expires }) =>
  maxAge ?? (expires === undefined ? undefined : Math.ceil((expires - Date.now()) / 1000));

const verdictsOf = async (edge) =>
  (await edge.reports(1)).flatMap((report) => report.verdicts).map(({ verdict }) => verdict);

const isWrong = (verdict) => ["attributes-differ", "origin-unverified", "malformed", "not-yet-valid"].includes(verdict);
