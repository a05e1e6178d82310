// Two requests of one browser at a time: what the one deletes or sets anew, an upgrade for the other does not bring
// back.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test, { after } from "node:test";
import { answer, NAVIGATION, pinned, rawOrigin, SECRETS, send, signer, worker } from "./harness.mjs";
import { around } from "./harness/ledger.mjs";

const sign = await signer({ after });
const old = await sign.session("OLD_KEY");
const DELETION = "Set-Cookie: sessionid=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax";
const ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600";
const LEDGER = { ledger: true };

/** A site whose /page answers when it is let go, and whose other paths answer at once with these headers. */
async function heldSite(t, headers = [DELETION]) {
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  let arrived;
  const isHeld = new Promise((resolve) => (arrived = resolve));
  const origin = await rawOrigin(t, async ({ path }) => {
    if (path !== "/page") return answer("200 OK", ["Content-Type: text/html", ...headers]);
    arrived();
    await held;
    return answer("200 OK", ["Content-Type: text/html"]);
  });
  return { origin, isHeld, letGo };
}

const edgeOf = (t, origin, options) => worker(t, { origin, config: pinned(), secrets: SECRETS, ...options });
const open = (port, path, cookie = old) => send(port, { path, headers: NAVIGATION, cookie: `sessionid=${cookie}` });
const reasons = (reports) => reports.flatMap(({ verdicts }) => verdicts.map(({ reason }) => reason)).filter(Boolean);

test("a logout that is answered while a page is under way is not undone by the page", async (t) => {
  const { origin, isHeld, letGo } = await heldSite(t);
  const edge = await edgeOf(t, origin);
  const page = open(edge.port, "/page");
  await isHeld;
  assert.equal((await open(edge.port, "/logout")).setCookies.length, 1);
  letGo();
  assert.deepEqual((await page).setCookies, []);
  assert.ok(reasons(await edge.reports(2)).includes("superseded"));
});

test("nor is a cookie that was set anew overwritten", async (t) => {
  const renewed = await sign.session("ORIGIN_KEY", { data: { user: "ada", basket: 1 } });
  const { origin, isHeld, letGo } = await heldSite(t, [`Set-Cookie: sessionid=${renewed}; ${ATTRIBUTES}`]);
  const edge = await edgeOf(t, origin);
  const page = open(edge.port, "/page");
  await isHeld;
  assert.equal((await open(edge.port, "/add")).setCookies.length, 1);
  letGo();
  assert.deepEqual((await page).setCookies, []);
});

test("another visitor's logout withholds nothing", async (t) => {
  const { origin, isHeld, letGo } = await heldSite(t);
  const edge = await edgeOf(t, origin);
  const page = open(edge.port, "/page");
  await isHeld;
  await open(edge.port, "/logout", await sign.session("OLD_KEY", { data: { user: "grace" } }));
  letGo();
  assert.equal((await page).setCookies.length, 1);
});

test("visitors whose cookies say the same are told apart by their address", async (t) => {
  const { origin, isHeld, letGo } = await heldSite(t, ["Set-Cookie: sid=; Max-Age=0; Path=/"]);
  const rule = { name: "sid", format: "express", attributes: "Path=/" };
  const edge = await edgeOf(t, origin, { config: pinned({ cookies: [rule] }) });
  const signature = createHmac("sha256", SECRETS.OLD_KEY).update("anonymous").digest("base64").replace(/=+$/, "");
  const cookie = `sid=${encodeURIComponent(`s:anonymous.${signature}`)}`;
  const from = (address, path) =>
    send(edge.port, { path, headers: { ...NAVIGATION, "CF-Connecting-IP": address }, cookie });
  const page = from("192.0.2.1", "/page");
  await isHeld;
  assert.equal((await from("192.0.2.2", "/logout")).setCookies.length, 1);
  letGo();
  assert.equal((await page).setCookies.length, 1);
});

// It says on the console when an isolate has been told.
const TELLS = `import worker, { Ledger as Own } from "./built.js";
export class Ledger extends Own {
  async fetch(request) {
    const answer = await super.fetch(request);
    if (request.method === "GET") queueMicrotask(() => console.log("answered"));
    return answer;
  }
}
export default worker;`;

/** Two isolates with a ledger between them. */
async function pair(t, origin) {
  const bindings = { LEDGER };
  const beside = { second: { config: pinned(), secrets: SECRETS, bindings } };
  return edgeOf(t, origin, { build: around(TELLS), bindings, beside });
}

test("with a ledger, a logout that another isolate has answered is not undone either", async (t) => {
  const { origin, isHeld, letGo } = await heldSite(t);
  const edge = await pair(t, origin);
  const page = open(edge.port, "/page");
  await isHeld;
  await open(edge.ports.second, "/logout");
  await edge.logged(/answered/);
  letGo();
  assert.deepEqual((await page).setCookies, []);
});

test("a page that is asked for just after another isolate has answered the logout is not upgraded", async (t) => {
  const { origin, isHeld, letGo } = await heldSite(t);
  const edge = await pair(t, origin);
  await open(edge.ports.second, "/logout");
  const page = open(edge.port, "/page");
  await isHeld;
  await edge.logged(/answered/);
  letGo();
  assert.deepEqual((await page).setCookies, []);
});

for (const [what, body] of [
  ["throws", `throw new Error("down");`],
  ["never answers", `await new Promise(() => {});`],
  ["answers with nonsense", `return new Response("zzzz,\\u0000,".repeat(1e5));`],
]) {
  test(`pages are answered and upgraded as ever where the ledger ${what}`, async (t) => {
    const build = around(`import worker, { Ledger as Own } from "./built.js";
export class Ledger extends Own { async fetch(request) { ${body} } }
export default worker;`);
    const { origin, letGo } = await heldSite(t, []);
    letGo();
    const edge = await edgeOf(t, origin, { build, bindings: { LEDGER } });
    for (const path of ["/page", "/other", "/page"]) assert.equal((await open(edge.port, path)).setCookies.length, 1);
  });
}
