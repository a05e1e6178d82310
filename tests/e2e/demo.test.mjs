// The demo in a real Chromium: its buttons rotate, retire and forge on a wrangler.toml of the test's own; each save of
// that file is picked up once; it can be read in every theme at every width; and no other page can press its buttons.
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import test, { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDemo } from "../../demo/demo.mjs";
import { ownSite, rulesIn } from "../../demo/own-site.mjs";
import { endAll } from "../../demo/servers.mjs";
import { inRoot } from "../../src/build/tools.mjs";
import { send } from "./harness.mjs";
import { chromium } from "./harness/chromium.mjs";
import { TARGET } from "./harness/commands.mjs";
import { drivenBrowser } from "./harness/devtools.mjs";
import { interpreter, temporaryFolder } from "./harness/processes.mjs";

const skip = chromium() ? false : "no chromium is installed";
const CLI = path.join(TARGET, "debug/countersign");
const lines = [];
const folder = temporaryFolder();
const file = path.join(folder, "wrangler.toml");
copyFileSync(inRoot("wrangler.toml"), file);
const AS_IT_WAS = readFileSync(file, "utf8");

after(endAll);
const demo = await startDemo({
  folder,
  work: path.join(folder, "work"),
  script: inRoot("build/index.js"),
  port: await freePort(),
  python: interpreter("venv-e2e"),
  cli: [CLI],
  onLine: (line) => lines.push(line),
});
after(demo.close);
const browser = skip ? null : await drivenBrowser({ after });

async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// ---- saves

const secretOf = (name) =>
  new RegExp(`^${name}="(.*)"$`, "m").exec(readFileSync(path.join(folder, ".dev.vars"), "utf8"))[1];

async function liveMaxAge() {
  const headers = { Authorization: `Bearer ${secretOf("COUNTERSIGN_TOKEN")}` };
  const answer = await fetch(`${demo.url}/.well-known/countersign`, { headers }).catch(() => null);
  return answer?.ok ? (await answer.json()).configuration.cookies[0].max_age : null;
}

async function untilLive(maxAge) {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(20)) {
    if ((await liveMaxAge()) === maxAge) return;
  }
  assert.fail(`max_age = ${maxAge} was never live:\n${lines.slice(-20).join("\n")}`);
}

const saved = (maxAge) => AS_IT_WAS.replace("max_age    = 1209600", `max_age    = ${maxAge}`);

/** As editors save: a new file takes the name of the old one. */
function saveByRenaming(text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** As vim saves where it keeps a backup: for a moment there is no file. */
function saveBesideBackup(text) {
  renameSync(file, `${file}~`);
  writeFileSync(file, text);
  rmSync(`${file}~`);
}

const reloads = () => lines.filter((line) => line.includes("Reloading local server")).length;

test("each of ten saves by renaming is picked up, and once", async () => {
  for (const save of [saveByRenaming, saveBesideBackup]) {
    const before = reloads();
    for (let i = 1; i <= 5; i++) {
      save(saved(1000 + i));
      await untilLive(1000 + i);
    }
    await sleep(500);
    assert.equal(reloads() - before, 5, save.name);
  }
});

test("the ledger counts what the demo's Worker refuses, for the dashboard beside it", async () => {
  await fetch(`${demo.url}/`, { headers: { Cookie: "theme=forged" } });
  const headers = { Authorization: `Bearer ${secretOf("COUNTERSIGN_TOKEN")}` };
  const { ledger } = await (await fetch(`${demo.url}/.well-known/countersign?ledger`, { headers })).json();
  const refused = ledger.hours.filter(({ rule, verdict }) => rule === "theme" && verdict === "malformed");
  assert.equal(refused.length, 1, JSON.stringify(ledger.hours));
});

test("of many saves at once the last is live", async () => {
  for (let i = 1; i <= 12; i++) {
    saveByRenaming(saved(2000 + i));
    await sleep(i * 10);
  }
  await untilLive(2012);
  saveByRenaming(AS_IT_WAS);
  await untilLive(1209600);
});

test("two saves at one moment, of which the second has the inode of the file before, lose none that follow", async () => {
  for (let i = 1; i <= 3; i++) {
    saveByRenaming(saved(3000));
    saveByRenaming(saved(3000 + i));
    await untilLive(3000 + i);
  }
  saveByRenaming(AS_IT_WAS);
  await untilLive(1209600);
});

test("a save that changes no byte is none", async () => {
  await sleep(500);
  const before = reloads();
  saveByRenaming(AS_IT_WAS);
  await sleep(800);
  assert.equal(reloads(), before);
});

// ---- the page

const text = (page, selector) => page.value(`document.querySelector(${JSON.stringify(selector)}).textContent`);
const isReady = (name) => `document.querySelector("#${name}")?.getAttribute("aria-disabled") === "false"`;
const says = (words) => `document.querySelector("#said").textContent.includes(${JSON.stringify(words)})`;
const browserHas = (name, key) =>
  `document.querySelector('[data-cookie="${name}"] .browser').textContent.startsWith(${JSON.stringify(key)})`;

async function opened() {
  const page = await browser.page();
  await page.show({ width: 1200 });
  await page.open(`${demo.url}/`);
  await page.until(isReady("rotate"));
  return page;
}

async function press(page, name) {
  await page.until(isReady(name));
  await page.pressAndLoad(`#${name}`);
  await page.until(isReady("forge"));
}

async function forged(page) {
  await page.until(isReady("forge"));
  await page.value('document.querySelector("#forged").replaceChildren()');
  await page.pressEnter("#forge");
  await page.until(says("forged login"));
  return page.value('[...document.querySelectorAll("#forged > div")].map((one) => one.classList.contains("taken"))');
}

/** The strip as a reader hears it: the text of each bar by the name of its row. */
const strip = (page) =>
  page.value(`Object.fromEntries([...document.querySelectorAll("#strip tbody tr")].map((row) =>
    [row.cells[0].textContent, [...row.cells].slice(1).map((cell) => cell.textContent)]))`);

test("a rotation, a leak and its end, by the buttons and the keyboard alone", { skip }, async () => {
  const page = await opened();
  await page.pressAndLoad("#log-in");
  await page.until(browserHas("sessionid", "DJANGO_SECRET_KEY"));
  assert.match(await text(page, "#who"), /^You are logged in as demo, since \d\d:\d\d:\d\d\.$/);
  assert.deepEqual(await forged(page), [true, true], "the leaked key is in the ring");

  assert.equal(await text(page, "#rotate-typed"), "countersign promote KEY_2026_11");
  await press(page, "rotate");
  await page.until(browserHas("sessionid", "KEY_2026_11"));
  assert.match(await text(page, "#who"), /^You are still logged in as demo, since [\d:]+ – through 1 rotation\.$/);
  assert.equal(await page.value("document.activeElement.id"), "rotate");
  assert.match(await text(page, '[data-cookie="sessionid"] .site'), /^DJANGO_SECRET_KEY/);
  assert.match(
    readFileSync(file, "utf8"),
    /^current {3}= "KEY_2026_11" +# signs what browsers get/m,
    "the comment is kept",
  );
  assert.deepEqual(await forged(page), [true, true], "a fallback still opens");

  assert.equal(await text(page, "#retire-typed"), "countersign revoke DJANGO_SECRET_KEY");
  await press(page, "retire");
  assert.deepEqual(await forged(page), [false, true], "the site alone takes it");
  assert.match(await text(page, "#who"), /still logged in as demo/);
  await page.until('document.querySelectorAll("#strip tbody tr").length === 4');
  assert.deepEqual(await strip(page), {
    DJANGO_SECRET_KEY: ["current", "fallback", "retired"],
    KEY_2026_11: ["staged", "current"],
    "Your browser's login": ["not logged in", "DJANGO_SECRET_KEY", "KEY_2026_11"],
    "The site's login": ["not logged in", "DJANGO_SECRET_KEY"],
  });

  // The next key has no secret yet, and is staged first.
  assert.equal(await text(page, "#rotate-typed"), "countersign stage KEY_2026_12countersign promote KEY_2026_12");
  await press(page, "rotate");
  await page.until(browserHas("sessionid", "KEY_2026_12"));
  assert.match(await text(page, "#who"), /still logged in as demo.* – through 2 rotations\.$/);

  await press(page, "start-over");
  assert.equal(readFileSync(file, "utf8"), AS_IT_WAS);
  await page.until('document.querySelector("#start-over").getAttribute("aria-disabled") === "true"');
  assert.equal(await text(page, "#rotate-typed"), "countersign promote KEY_2026_11", "as at the start");
  await page.until(says("It has no KEY_2026_12, which signed your login: log in again."));
  assert.equal((await strip(page))["The site's login"].at(-1), "nothing: refused");
  assert.deepEqual(page.errors, []);
  for (const url of page.requests) assert.match(url, /^(http:\/\/127\.0\.0\.1:\d+\/|data:)/);
});

test("a save by hand shows on the open page", { skip }, async () => {
  const page = await opened();
  saveByRenaming(AS_IT_WAS.replace(/^current .*$/m, 'current = "KEY_2026_11"'));
  await page.until('document.querySelector("#strip thead th:last-child").textContent.includes("KEY_2026_11 promoted")');
  await press(page, "start-over");
  assert.equal(readFileSync(file, "utf8"), AS_IT_WAS);
});

/** Texts with too little contrast (WCAG 2.2, AA: 4.5), each with its ratio; colours are laid over each other as painted. */
const FAINT_TEXTS = `(() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const painted = (colours) => {
    context.fillStyle = "white";
    for (const colour of colours) (context.fillRect(0, 0, 1, 1), (context.fillStyle = colour));
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement, data } = texts.currentNode;
    if (!data.trim() || !parentElement.checkVisibility() || /^(SCRIPT|NOSCRIPT)$/.test(parentElement.tagName)) continue;
    const behind = [];
    for (let at = parentElement; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const [a, b] = [painted(behind), painted([...behind, getComputedStyle(parentElement).color])].map(luminance);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(data.trim() + " " + ratio.toFixed(2));
  }
  return faint;
})()`;

test(
  "every theme can be read at every width, and the first is the one that the browser prefers",
  { skip },
  async () => {
    const page = await opened();
    const background = () => page.value("getComputedStyle(document.body).backgroundColor");
    const seen = new Set();
    const looksGood = async (theme) => {
      for (const width of [1200, 390, 320]) {
        await page.show({ width, prefers: theme === "dark" ? "dark" : "light" });
        await page.until(`document.querySelectorAll("#strip td").length > 0`);
        const [wide, there] = await page.value(
          "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        );
        assert.ok(wide <= there, `${theme} at ${width} px: ${wide} px wide`);
        assert.deepEqual(await page.value(FAINT_TEXTS), [], `${theme} at ${width} px`);
      }
    };
    await page.pressAndLoad("#log-in").catch(() => {}); // where the tests before have not
    await press(page, "rotate");
    await forged(page);
    for (const prefers of ["light", "dark"]) {
      await page.show({ width: 1200, prefers });
      seen.add(await background());
      await looksGood(prefers);
    }
    assert.equal(seen.size, 2, "without a cookie the browser's preference counts");
    const chosen = new Set();
    for (let i = 0; i < 3; i++) {
      await page.pressAndLoad("#next-theme");
      await page.until(isReady("forge"));
      await page.show({ width: 1200, prefers: "dark" });
      chosen.add(await background());
      await looksGood(await page.value("document.documentElement.className"));
    }
    assert.equal(chosen.size, 3, "a theme that was chosen counts more than the browser's preference");
    await press(page, "start-over");
    assert.deepEqual(page.errors, []);
  },
);

// ---- who may press

test("only this page may call the control server", { skip }, async () => {
  const page = await opened();
  const { control, token } = await page.value("({ ...document.body.dataset })");
  const { port, host } = new URL(control);
  const right = { Origin: demo.url, Authorization: `Bearer ${token}` };
  const statusOf = async (headers, more = {}) => (await send(port, { path: "/state", host, headers, ...more })).status;
  assert.equal(await statusOf(right), 200);
  assert.equal(await statusOf({ ...right, Origin: `http://127.0.0.1:${port}` }), 403, "another port");
  assert.equal(await statusOf({ ...right, Origin: "null" }), 403, "a sandboxed frame");
  assert.equal(await statusOf({ Authorization: right.Authorization }), 403, "no origin");
  assert.equal(await statusOf({ Origin: demo.url }), 403, "no token");
  assert.equal(await statusOf({ ...right, Authorization: `Bearer ${token.slice(1)}` }), 403, "another token");
  assert.equal(await statusOf(right, { host: `rebound.example:${port}` }), 403, "a name that was pointed here");
  assert.equal(await statusOf(right, { method: "POST", path: "/constructor" }), 404);
  assert.equal(await statusOf(right, { method: "POST", path: "/state" }), 404);
});

test("a page of another origin can neither press the buttons nor get at the token", { skip }, async (t) => {
  const { control, token } = await (await opened()).value("({ ...document.body.dataset })");
  const server = http.createServer((_, response) =>
    response.setHeader("content-type", "text/html").end("<!doctype html>"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  const page = await browser.page();
  await page.open(`http://127.0.0.1:${server.address().port}/`); // whose cookies are those of the demo
  const attempts = `(async () => {
    const tried = (url, options) => fetch(url, options).then((answer) => answer.type + " " + answer.status, () => "refused");
    const frame = document.createElement("iframe");
    frame.src = ${JSON.stringify(`${demo.url}/`)};
    document.body.append(frame);
    await new Promise((resolve) => (frame.onload = resolve));
    let framed = "shown";
    try { framed = frame.contentDocument ? "same origin" : "no document of ours"; } catch { framed = "closed"; }
    return {
      withToken: await tried(${JSON.stringify(`${control}/rotate`)}, { method: "POST", headers: { Authorization: "Bearer ${token}" } }),
      simple: await tried(${JSON.stringify(`${control}/rotate`)}, { method: "POST", mode: "no-cors", credentials: "include" }),
      page: await tried(${JSON.stringify(`${demo.url}/`)}, { credentials: "include" }),
      framed,
    };
  })()`;
  const { framed, ...came } = await page.value(attempts);
  assert.deepEqual(came, { withToken: "refused", simple: "opaque 0", page: "refused" });
  assert.notEqual(framed, "same origin");
  assert.ok(
    page.errors.some((error) => error.includes("frame-ancestors")),
    `${framed}: ${page.errors.join("\n")}`,
  );
  assert.equal(readFileSync(file, "utf8"), AS_IT_WAS);
});

// ---- a site of one's own

test("in front of a site of one's own it observes, with rules only where the site's key is there", async () => {
  const own = temporaryFolder();
  const said = [];
  const start = () => ownSite({ origin: "http://127.0.0.1:9", folder: own, cli: CLI, say: (line) => said.push(line) });
  await start();
  assert.match(said.join("\n"), /127\.0\.0\.1:9/);
  const written = readFileSync(path.join(own, "wrangler.toml"), "utf8");
  assert.match(written, /^mode = "observe"/m);
  assert.deepEqual(rulesIn(written), []);
  const withRule = `${written}\n[[vars.COUNTERSIGN.cookies]]\nname = "mine"\nformat = "express"\n`;
  writeFileSync(path.join(own, "wrangler.toml"), withRule);
  await start();
  assert.equal(readFileSync(path.join(own, "wrangler.toml"), "utf8"), withRule, "somebody's own rules are kept");
});

test("what init finds is run once the site's key is there, by the name that init gives it", async () => {
  const own = temporaryFolder();
  const cli = path.join(own, "init.sh");
  const rule = '[[vars.COUNTERSIGN.cookies]]\nname       = "session"\nformat     = "flask-session"';
  const printed = `1 cookie\n\n[vars.COUNTERSIGN.keys]\ncurrent = "FLASK_SECRET_KEY"\norigin  = "FLASK_SECRET_KEY"\n\n${rule}\n`;
  writeFileSync(cli, `#!/bin/sh\ncat <<'END'\n${printed}END\n`, { mode: 0o755 });
  const written = async (hasRules) => {
    const came = await ownSite({ origin: "http://127.0.0.1:9", folder: own, cli, say: () => {} });
    assert.deepEqual(came, { key: "FLASK_SECRET_KEY", hasRules });
    return readFileSync(path.join(own, "wrangler.toml"), "utf8");
  };
  assert.deepEqual(rulesIn(await written(false)), []);
  writeFileSync(path.join(own, ".dev.vars"), "FLASK_SECRET_KEY='of the site'\n");
  const configuration = await written(true);
  assert.deepEqual(rulesIn(configuration), [rule]);
  assert.match(configuration, /^current {3}= "FLASK_SECRET_KEY"$/m);
});

test("rules are found in what init prints", () => {
  const rule = '[[vars.COUNTERSIGN.cookies]]\nname = "sessionid"\nformat = "django-session"';
  assert.deepEqual(
    rulesIn(`sessionid: django-session\n\n  ${rule.replaceAll("\n", "\n  ")}\n\nnext: countersign check\n`),
    [rule],
  );
  assert.deepEqual(rulesIn("nothing"), []);
});

test("no secret is in the log", () => {
  const log = lines.join("\n");
  for (const name of ["DJANGO_SECRET_KEY", "KEY_2026_11", "COUNTERSIGN_TOKEN"])
    assert.ok(!log.includes(secretOf(name)));
});
