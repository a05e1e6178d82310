// The dashboard in a real Chromium, through a rotation: what it shows in words, that it follows by itself, how it looks
// in both themes and on a narrow screen, and that no other page, host or token gets anything.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import test from "node:test";
import { send } from "./harness.mjs";
import { chromium } from "./harness/chromium.mjs";
import { TARGET, ended, textOf } from "./harness/commands.mjs";
import { drivenBrowser } from "./harness/devtools.mjs";
import { DAY, HOUR, NOW, TOKEN, handOver, ledgerOf, liveWorker } from "./harness/live-worker.mjs";
import { end, firstLine, program, temporaryFolder } from "./harness/processes.mjs";

const skip = chromium() ? false : "no chromium is installed";
const COUNTERSIGN = path.join(TARGET, "debug/countersign");

const PROMOTED = NOW - 10 * DAY - 9 * HOUR;
const SINCE = NOW - 26 * DAY;
const STAGED = { current: "KEY_2026_05", fallbacks: ["KEY_2026_11"], origin: "DJANGO_SECRET_KEY" };
const UNTIL = { secret: "KEY_2026_05", until: "2027-03-04T15:00:00Z" };
const REPLACED = { current: "KEY_2026_11", fallbacks: [UNTIL], origin: "DJANGO_SECRET_KEY" };
const RETIRED = { current: "KEY_2026_11", fallbacks: [], origin: "DJANGO_SECRET_KEY" };
const RULE = { name: "sessionid", format: "django-session", max_age: 1_209_600, attributes: "Path=/; HttpOnly; Secure; SameSite=Lax" };

const configured = (keys) => ({ mode: "enforce", keys, cookies: [RULE] });
const used = () => ledgerOf(handOver({ old: "KEY_2026_05", next: "KEY_2026_11", promoted: PROMOTED, since: SINCE }), { since: SINCE });

/** How many cookies a key opened on a day, by the entries themselves. */
function usesOn(day, key) {
  const opened = handOver({ old: "KEY_2026_05", next: "KEY_2026_11", promoted: PROMOTED, since: SINCE }).filter(
    (entry) => entry.key === key && ["current", "fallback"].includes(entry.verdict) && entry.at >= day && entry.at < day + DAY,
  );
  return opened.reduce((sum, { count }) => sum + count, 0).toLocaleString("en");
}

/** A repository whose commits have the times that they are given. */
function repository() {
  const folder = temporaryFolder();
  const git = (words, time = 0) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=Operator", "-c", "user.email=operator@shop.example", ...words], {
      env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: "/dev/null", GIT_COMMITTER_DATE: `${time} +0000`, GIT_AUTHOR_DATE: `${time} +0000` },
    });
  git(["init", "--quiet"]);
  return {
    folder,
    commit(keys, message, time) {
      writeFileSync(path.join(folder, "wrangler.toml"), toml(keys));
      git(["add", "."]);
      git(["commit", "--quiet", "--message", message], time);
    },
  };
}

const inline = (key) => (typeof key === "string" ? JSON.stringify(key) : `{ secret = "${key.secret}", until = "${key.until}" }`);
const toml = ({ current, fallbacks, origin }) => `name = "shop"

[vars.COUNTERSIGN]
mode = "enforce"

[vars.COUNTERSIGN.keys]
current = "${current}"
fallbacks = [${fallbacks.map(inline).join(", ")}]
origin = "${origin}"

[[vars.COUNTERSIGN.cookies]]
name = "${RULE.name}"
format = "${RULE.format}"
max_age = ${RULE.max_age}
attributes = "${RULE.attributes}"
`;

/** Three commits, a live Worker, and the dashboard of it: `{worker, repo, address, port, said}`. */
async function dashboard(t, options = {}) {
  const repo = repository();
  repo.commit({ ...RETIRED, current: "KEY_2026_05" }, "Begin", NOW - 120 * DAY);
  repo.commit(STAGED, "Stage KEY_2026_11", PROMOTED - DAY);
  if (!options.isStaged) repo.commit(REPLACED, "Promote KEY_2026_11", PROMOTED);
  const configuration = configured(options.isStaged ? STAGED : REPLACED);
  const worker = await liveWorker(t, { configuration, ledger: options.ledger === undefined ? used() : options.ledger });
  const env = environment(worker);
  const child = program([COUNTERSIGN, "dashboard", "--no-open"], env, { cwd: repo.folder });
  t.after(() => end(child));
  const address = await firstLine(child);
  return { worker, repo, env, address, port: Number(new URL(address).port), said: () => child.errors };
}

const environment = ({ url }) => ({ COUNTERSIGN_TOKEN: TOKEN, COUNTERSIGN_URL: url, COUNTERSIGN_NOW: String(NOW), NO_COLOR: "1" });

async function opened(t, address) {
  const page = await (await drivenBrowser(t)).page();
  await page.show({ width: 1280, height: 900, prefers: "light" });
  await page.go(address);
  await page.until(`document.querySelector("#summary .tile") !== null`);
  return page;
}

/** The text of a part of the page, in one line. */
const part = async (page, id) => (await page.value(`document.getElementById("${id}").innerText`)).replaceAll(/\s+/g, " ");

test("one sees in words which key signs, whether the old one is in use, and what is next", { skip }, async (t) => {
  const { address, worker } = await dashboard(t);
  const page = await opened(t, address);
  const summary = await part(page, "summary");
  for (const words of [
    "Worker healthy It answers, its configuration is right, and what does not verify is refused.",
    "Signs KEY_2026_11 current for 10 days, since 2027-01-21",
    "Old keys KEY_2026_05 opened 104 cookies in 24 hours, the last 30 minutes ago.",
    "Of 24,000 cookies opened in 24 hours, 99.6 % under the current key.",
    "At the rate of the last 10 days it opens none from 2027-02-14 on",
    "Next countersign retire KEY_2026_05 from 2027-03-04 15:00 UTC on",
  ])
    assert.ok(summary.includes(words), `${words}\n${summary}`);
  const rings = await part(page, "rings");
  assert.match(rings, /KEY_2026_11 [0-9a-f]{8} current signs what browsers get 23,896/);
  assert.match(rings, /KEY_2026_05 [0-9a-f]{8} fallback opens until 2027-03-04 15:00 UTC, in 31 days 104/);
  const timeline = await part(page, "timeline");
  assert.match(timeline, /KEY_2026_05 current 2026-10-04 → fallback 2027-01-21, until 2027-03-04/);
  assert.match(timeline, /KEY_2026_11 staged 2027-01-20 → current 2027-01-21/);
  assert.match(await part(page, "refusals"), /expired .* sessionid 163 2,282/);
  assert.match(await part(page, "upgrades"), /sent .* 58 withheld: not-navigation .* 18/);
  assert.match(await part(page, "uses"), /KEY_2026_05: what it still opens, by the day 7,797 2027-01-22 today/);
  // the chart has the same numbers in its label and in its table
  const label = await page.value(`document.querySelector("#days svg").getAttribute("aria-label")`);
  assert.equal(label, "By the day (UTC), since 2027-01-06: KEY_2026_05 opened 399,453, KEY_2026_11 opened 224,547");
  await page.value(`document.querySelector("#days summary").click()`);
  const table = await part(page, "days");
  for (const days of [1, 2, 9]) {
    const [old, next] = ["KEY_2026_05", "KEY_2026_11"].map((key) => usesOn(NOW - days * DAY, key));
    const day = new Date((NOW - days * DAY) * 1000).toISOString().slice(0, 10);
    assert.ok(table.includes(`${day} ${old} ${next} `), `${day} ${old} ${next}: ${table}`);
  }
  assert.deepEqual(page.errors, []);
  assert.ok(worker.asked.length > 0);
  const html = await page.value("document.documentElement.outerHTML");
  assert.ok(!html.includes(TOKEN), "the Worker's token is in the page");
  assert.equal(await page.value("location.href"), address.split("#")[0], "the address keeps its token");
});

test("a rotation is followed without a reload, and what one has opened stays open", { skip }, async (t) => {
  const { address, worker, repo } = await dashboard(t, { isStaged: true });
  const page = await opened(t, address);
  assert.match(await part(page, "summary"), /Signs KEY_2026_05 .* staged: KEY_2026_11 .* Next countersign promote KEY_2026_11/);
  await page.value(`document.querySelector("#days summary").click(), document.querySelector("#hours summary").focus()`);
  repo.commit(REPLACED, "Promote KEY_2026_11", PROMOTED);
  worker.configuration = configured(REPLACED);
  await page.until(`document.getElementById("summary").innerText.includes("countersign retire KEY_2026_05")`);
  assert.match(await part(page, "summary"), /Signs KEY_2026_11 current for 10 days, .* Old keys KEY_2026_05/);
  assert.match(await part(page, "announcement"), /KEY_2026_11 is current\. KEY_2026_05 still opens\./);
  assert.ok(await page.value(`document.querySelector("#days details").open`), "the table has closed");
  repo.commit(RETIRED, "Retire KEY_2026_05", NOW - HOUR);
  worker.configuration = configured(RETIRED);
  worker.ledger = "it did not answer within 2 s";
  await page.until(`document.getElementById("timeline").innerText.includes("retired 2027-01-31")`);
  const summary = await part(page, "summary");
  assert.match(summary, /needs attention the ledger does not answer: it did not answer within 2 s/);
  assert.match(summary, /Old keys none opens cookies Next countersign stage KEY_NAME/);
  worker.isDown = true;
  await page.until(`!document.getElementById("banner").hidden`);
  assert.match(await part(page, "banner"), /^The Worker does not answer: .* answered 404.* What you see is of /);
  assert.match(await page.value("document.title"), /^✖ /);
  worker.isDown = false;
  await page.until(`document.getElementById("banner").hidden`);
  assert.deepEqual(page.errors, []);
});

test("it fits a narrow screen and both themes, with a contrast that one can read", { skip }, async (t) => {
  const { address } = await dashboard(t);
  const page = await opened(t, address);
  const papers = new Set();
  for (const theme of ["light", "dark"]) {
    for (const width of [390, 768, 1280, 2560]) {
      await page.show({ width, height: 844, prefers: theme });
      const [scroll, open] = await page.value(`
        [document.documentElement.scrollWidth, (document.querySelectorAll("details").forEach((one) => (one.open = true)), document.documentElement.scrollWidth)]`);
      assert.ok(scroll <= width && open <= width, `${theme} ${width}: ${scroll} ${open}`);
    }
    papers.add(await page.value("getComputedStyle(document.body).backgroundColor"));
    for (const [ink, paper, least] of CONTRASTS) {
      const found = await page.value(`(${contrast})("${ink}", "${paper}")`);
      assert.ok(found >= least, `${theme}: ${ink} on ${paper} has ${found.toFixed(2)}, not ${least}`);
    }
  }
  assert.equal(papers.size, 2);
  // headings in order, and a name for all that can be reached
  const headings = await page.value(`[...document.querySelectorAll("h1, h2, h3")].map(({ tagName }) => Number(tagName[1]))`);
  assert.equal(headings[0], 1);
  headings.reduce((before, level) => (assert.ok(level <= before + 1, headings.join(" ")), level));
  const nameless = await page.value(`[...document.querySelectorAll("button, summary, [tabindex], [role=img]")]
    .filter((one) => !(one.getAttribute("aria-label") ?? one.textContent).trim()).map(({ outerHTML }) => outerHTML)`);
  assert.deepEqual(nameless, []);
  assert.deepEqual(page.errors, []);
});

const CONTRASTS = [
  ...["ink", "faint"].flatMap((ink) => ["card", "paper"].map((paper) => [`--${ink}`, `--${paper}`, 4.5])),
  ...["good", "attention", "bad"].map((state) => [`--${state}`, `--${state}-wash`, 4.5]),
  ...["bad", "attention", "good"].map((state) => [`--${state}`, "--card", 4.5]),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((key) => [`--k${key}`, "--card", 3]),
  ...["strong-line", "focus"].map((line) => [`--${line}`, "--card", 3]),
];

/** The contrast of two colours of the style, as WCAG 2 has it. */
const contrast = `(one, other) => {
  const light = (name) => {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const parts = (hex.length > 4 ? hex.slice(1).match(/../g) : [...hex.slice(1)].map((digit) => digit + digit)).map((part) => parseInt(part, 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const [a, b] = [light(one), light(other)];
  return Math.max(a, b) / Math.min(a, b);
}`;

test("a name with markup or an escape sequence in it is shown as text", { skip }, async (t) => {
  const markup = `<script>hacked=1</script><img src=x onerror=hacked=1>"'&`;
  const ledger = used();
  const at = NOW - HOUR;
  for (const entries of [ledger.hours, ledger.days])
    entries.push(
      { at: entries === ledger.hours ? at : at - (at % DAY), rule: markup, key: markup, verdict: "current", count: 7 },
      { at: entries === ledger.hours ? at : at - (at % DAY), rule: markup, verdict: "bad-signature", reason: "\u001b[2J" + markup, count: 9 },
    );
  ledger.keys.push({ rule: markup, key: markup, first_opened: at, last_opened: at });
  const { address, worker, env, repo } = await dashboard(t, { ledger });
  worker.notes = [{ path: markup, text: "\u001b]0;title\u0007" }];
  const page = await opened(t, address);
  for (const id of ["uses", "timeline", "refusals", "remarks"]) {
    const text = await part(page, id);
    assert.ok(text.includes(markup), `${id}: ${text}`);
    assert.ok(!text.includes("\u001b"), id);
  }
  const found = await page.value(`[typeof hacked, document.scripts.length, document.images.length]`);
  assert.deepEqual(found, ["undefined", 1, 0]);
  assert.deepEqual(page.errors, []);

  const file = path.join(repo.folder, "report.html");
  const child = program([COUNTERSIGN, "report", "--html", file], env, { cwd: repo.folder });
  const [text, code] = await Promise.all([textOf(child.stdout), ended(child)]);
  assert.equal(code, 0, child.errors);
  assert.ok(text.includes(markup) && !text.includes("\u001b"));
  await page.go(`file://${file}`);
  await page.until(`document.querySelector(".report") !== null && document.readyState === "complete"`);
  const report = await page.text();
  assert.ok(report.includes(markup) && report.includes("What this cannot say"), report);
  assert.deepEqual(await page.value(`[document.scripts.length, document.images.length]`), [0, 0]);
  await page.show({ width: 390, height: 844, prefers: "light" });
  assert.ok((await page.value("document.documentElement.scrollWidth")) <= 390);
  // it loads nothing: no element has an address, and its style names none
  assert.equal(await page.value(`document.querySelectorAll("[src], [href], link, object, embed, iframe").length`), 0);
  assert.doesNotMatch(readFileSync(file, "utf8").split("</style>")[0], /url\(|@import/);
  assert.deepEqual(page.errors, []);
});

test("no other page, host, method or token gets anything", { skip }, async (t) => {
  const { address, port, said } = await dashboard(t);
  const oneTime = new URL(address).hash.slice(1);
  const host = `127.0.0.1:${port}`;
  const ask = (path, headers = {}, options = {}) => send(port, { path, host, headers, ...options });
  const bearer = (token) => ({ Authorization: `Bearer ${token}` });

  // what anybody may have holds no figure; the page's policy lets in its own style and script alone
  const shell = await ask("/");
  assert.equal(shell.status, 200);
  assert.doesNotMatch(shell.text, /KEY_|sessionid|127\.0\.0\.1/);
  const policy = shell.header("content-security-policy");
  for (const rule of ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) assert.ok(policy.includes(rule), policy);
  assert.doesNotMatch(policy, /unsafe|\*/);
  for (const [name, value] of [["cache-control", "no-store"], ["x-content-type-options", "nosniff"], ["access-control-allow-origin", null]])
    assert.equal(shell.header(name), value, name);

  for (const [what, status, ...request] of [
    ["no token", 403, "/board"],
    ["an invented token", 403, "/board", bearer("x".repeat(43))],
    ["the one-time token, which is no page's", 403, "/board", bearer(oneTime)],
    ["the Worker's token", 403, "/board", bearer(TOKEN)],
    ["no one-time token", 403, "/session"],
    ["another host", 421, "/", {}, { host: `shop.example:${port}` }],
    ["a rebound host with the token", 421, "/session", bearer(oneTime), { host: "rebound.example" }],
    ["no port", 421, "/", {}, { host: "127.0.0.1" }],
    ["two hosts", 421, "/", { Host: "other.example" }],
    ["another origin", 403, "/session", { ...bearer(oneTime), Origin: "http://other.example" }],
    ["a page of another port", 403, "/session", { ...bearer(oneTime), Origin: "http://127.0.0.1:1" }],
    ["another site", 403, "/", { "Sec-Fetch-Site": "cross-site" }],
    ["the same host, another port", 403, "/", { "Sec-Fetch-Site": "same-site" }],
    ["POST", 405, "/session", bearer(oneTime), { method: "POST", body: "" }],
    ["a preflight", 405, "/board", { Origin: "http://other.example" }, { method: "OPTIONS" }],
    ["another path", 404, "/../board"],
  ]) {
    const { status: found, text, headers } = await ask(...request);
    assert.equal(found, status, `${what}: ${text}`);
    assert.doesNotMatch(text, /KEY_|sessionid/, what);
    assert.ok(!JSON.stringify(headers).toLowerCase().includes("access-control"), what);
  }

  // none of that has used the address up: it opens the page once
  const page = await opened(t, address);
  assert.equal((await ask("/session", bearer(oneTime))).status, 403);
  const second = await (await drivenBrowser(t)).page();
  await second.go(address);
  await second.until(`document.getElementById("banner").innerText.includes("has been used")`);
  assert.match(said(), /an address was opened that is not good, or no longer: refused/);
  assert.doesNotMatch(await second.text(), /KEY_|sessionid/);

  // another page of the same browser
  const other = http.createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<title>other</title>"));
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.after(() => (other.closeAllConnections(), other.close()));
  await second.go(`http://127.0.0.1:${other.address().port}/`);
  await second.until(`document.title === "other"`);
  const read = (options) =>
    second.value(`fetch("http://${host}/board", ${options}).then((reply) => reply.type + " " + reply.status, ({ name }) => name)`);
  assert.equal(await read(`{ headers: { Authorization: "Bearer ${oneTime}" } }`), "TypeError");
  assert.equal(await read("{}"), "TypeError");
  assert.match(await read(`{ mode: "no-cors" }`), /^(TypeError|opaque 0)$/);
  const framed = await second.value(`new Promise((resolve) => {
    const frame = Object.assign(document.createElement("iframe"), { src: "http://${host}/" });
    frame.onload = () => { try { resolve(frame.contentDocument ? "empty" : "closed"); } catch { resolve("closed"); } };
    document.body.append(frame);
  })`);
  assert.match(framed, /^(closed|empty)$/);
  assert.deepEqual(page.errors, []);
});

test("without a ledger it shows the ring, the timeline and the next step, and how to get one", { skip }, async (t) => {
  const { address, worker } = await dashboard(t, { ledger: null });
  const page = await (await drivenBrowser(t)).page();
  worker.isDown = true;
  await page.go(address);
  await page.until(`document.getElementById("banner").innerText.includes("either the token is another")`);
  assert.equal(await page.value(`document.getElementById("main").offsetHeight`), 0, "empty parts are shown");
  worker.isDown = false;
  await page.until(`document.querySelector("#summary .tile") !== null`);
  assert.match(await part(page, "uses"), /has no ledger.*\[\[durable_objects\.bindings\]\] name = "LEDGER" class_name = "Ledger"/);
  assert.match(await part(page, "summary"), /healthy .* whether it is in use is not known without the ledger .* countersign retire/);
  assert.match(await part(page, "timeline"), /KEY_2026_11 staged 2027-01-20 → current 2027-01-21/);
  worker.problems = [{ path: "COUNTERSIGN.keys.current", text: "no secret of that name" }];
  await page.until(`document.getElementById("summary").innerText.includes("broken")`);
  assert.match(await part(page, "remarks"), /Wrong: COUNTERSIGN\.keys\.current: no secret of that name/);
  assert.deepEqual(page.errors, []);
});
