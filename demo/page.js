// The page's own part: asks the control server for what has happened, shows it, and presses its buttons.
"use strict";
const { port, control, token, loggedInAt } = document.body.dataset;
const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => [...document.querySelectorAll(selector)];
// Cookies ignore ports: asked past the Worker, the site sees the browser's own copies, HttpOnly ones too.
const past = `http://${location.hostname}:${port}/keys`;
const narrow = matchMedia("(max-width: 40rem)");

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const ask = (url) =>
  fetch(url, { credentials: "include" })
    .then((answer) => (answer.ok ? answer.json() : null))
    .catch(() => null);

// ---- the cookies

async function look() {
  const [site, browser] = await Promise.all([ask("/keys"), ask(past)]);
  for (const row of $$("[data-cookie]")) {
    row.querySelector(".site").replaceChildren(...cell(site, row.dataset.cookie));
    row.querySelector(".browser").replaceChildren(...cell(browser, row.dataset.cookie));
  }
  if (browser) remember(browser.sessionid ? (browser.sessionid.key ?? "no known key") : null);
}

function cell(keys, name) {
  if (!keys) return ["cannot be shown: ", element("code", {}, past), " is out of reach"];
  if (!keys[name]) return ["–"];
  if (keys[name].unsigned) return ["unsigned"];
  if (!keys[name].key) return [element("b", {}, "no known key")];
  const { key, age } = keys[name];
  return [
    element("code", { className: `key ${colourOf(key)}` }, key),
    " ",
    element("small", {}, `signed ${duration(age)} ago`),
  ];
}

const duration = (s) => (s < 120 ? `${s} s` : s < 7200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`);

// ---- what this window has seen of its own login: `{at, key}`, kept until npm start begins anew

const seen = JSON.parse(sessionStorage.getItem(`seen ${token}`) ?? "[]");

function remember(key) {
  if ((seen.at(-1)?.key ?? null) === key) return;
  seen.push({ at: Date.now(), key });
  sessionStorage.setItem(`seen ${token}`, JSON.stringify(seen.slice(-50)));
  if (state) showStrip();
}

// ---- the strip

const colours = [];

function colourOf(key) {
  if (!colours.includes(key)) colours.push(key);
  return `k${colours.indexOf(key) % 5}`;
}

/** One column for each change: of the ring, or of what the browser holds. */
function columns() {
  const changes = [
    ...state.phases.map(({ at, title, ring }) => ({ at, title, ring })),
    ...seen.map(({ at, key }, i) => ({ at, title: titleOf(key, seen[i - 1]?.key ?? null), browser: key })),
  ].sort((a, b) => a.at - b.at);
  let [ring, browser] = [state.phases[0].ring, null];
  return changes.map((change) => {
    ring = change.ring ?? ring;
    if ("browser" in change) browser = change.browser;
    return { at: change.at, title: change.title, ring, browser };
  });
}

function titleOf(key, before) {
  if (key === null) return "logged out";
  return before === null ? "logged in" : "page loaded: new signature";
}

function showStrip() {
  const all = columns();
  const shown = all.slice(narrow.matches ? -3 : -6);
  const keys = [...new Set(all.flatMap(({ ring }) => ring.map(({ key }) => key)))];
  const site = state.siteKey;
  [site, ...keys].forEach(colourOf); // the site's own key has the first colour
  const rows = keys.map((key) =>
    row(element("code", { ariaLabel: key }, ...breakable(key)), shown, ({ ring }) => inRing(ring, key, all)),
  );
  const browser = row("Your browser's login", shown, ({ browser }) => copyOf(browser, browser));
  const own = row("The site's login", shown, ({ ring, browser }) => atSite(ring, browser));
  browser.classList.add("divided");
  const head = element("tr", { role: "row" }, header("", "col"), ...shown.map(columnHead));
  $("#strip").style.setProperty("--columns", shown.length);
  $("#strip").replaceChildren(
    element("caption", {}, "Which key signs when: a column for each change, the newest last"),
    element("thead", { role: "rowgroup" }, head),
    element("tbody", { role: "rowgroup" }, ...rows, browser, own),
  );
}

const header = (content, scope) =>
  element("th", { scope, role: scope === "col" ? "columnheader" : "rowheader" }, content);

function columnHead({ at, title }) {
  const head = header(
    new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }),
    "col",
  );
  head.ariaLabel = `${head.textContent} ${title}`;
  head.append(element("b", {}, ...breakable(title)));
  return head;
}

function inRing(ring, key, all) {
  const role = ring.find((one) => one.key === key)?.role;
  if (role) return { kind: role, key, text: role };
  const first = all.findIndex(({ ring }) => ring.some((one) => one.key === key));
  return all.findIndex((column) => column.ring === ring) > first ? { kind: "retired", key, text: "retired" } : null;
}

/** What the site gets: its own key's signature, as long as the browser's copy is under a key of the ring. */
function atSite(ring, browser) {
  if (browser && !ring.some(({ key }) => key === browser)) return { kind: "none", key: null, text: "nothing: refused" };
  return copyOf(browser, state.siteKey);
}

const copyOf = (browser, key) =>
  browser ? { kind: "copy", key, text: key } : { kind: "none", key: null, text: "not logged in" };

/** Neighbours that say the same are one bar. */
function row(name, shown, cellOf) {
  const isSame = (a, b) => (a ? b && a.kind === b.kind && a.key === b.key : !b);
  const bars = [];
  for (const cell of shown.map(cellOf)) {
    if (bars.length && isSame(bars.at(-1).cell, cell)) bars.at(-1).columns++;
    else bars.push({ cell, columns: 1 });
  }
  return element("tr", { role: "row" }, header(name, "row"), ...bars.map(bar));
}

function bar({ cell, columns }) {
  const made = element("td", {
    role: "cell",
    colSpan: columns,
    className: cell ? `${cell.kind} ${cell.key ? colourOf(cell.key) : ""}` : "",
  });
  made.setAttribute("aria-colspan", columns);
  made.style.gridColumn = `span ${columns}`;
  if (cell) {
    made.ariaLabel = cell.text; // without the places where a line may break
    made.append(element("span", {}, ...breakable(cell.text)));
  }
  return made;
}

/** A key's name may be broken after its underscores. */
const breakable = (name) => name.split(/(?<=_)/).flatMap((part) => [part, element("wbr")]);

// ---- the buttons

let state = null;
let isBusy = false;
const BUTTONS = ["rotate", "retire", "forge", "start-over"];
const NOTHING = { retire: "Nothing to retire yet: rotate first.", "start-over": "Nothing has been changed." };

const call = (path, method = "GET") =>
  fetch(`${control}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });

async function refresh() {
  const answer = await call("/state").catch(() => null);
  if (!answer) return say(`npm start has ended, or this page was not opened through the Worker.`, true);
  if (!answer.ok) return say("npm start began anew: load the page again.", true);
  const text = await answer.text();
  if (text === refresh.last) return;
  refresh.last = text;
  show(text);
  sessionStorage.setItem(`state ${token}`, text);
}

function show(text) {
  state = JSON.parse(text);
  if (!state.phases.length) return;
  showStrip();
  showButtons();
  showForged();
  showLog();
  showStill();
  if (state.problems.length) say(`The Worker refuses wrangler.toml as it is: ${state.problems[0]}`, true);
  else if (!isBusy && $("#said").classList.contains("error")) say("");
}

function showButtons() {
  for (const name of BUTTONS) {
    const commands = state.next[name];
    $(`#${name}`).setAttribute("aria-disabled", String(isBusy || !commands));
    $(`#${name}-typed`).replaceChildren(...(commands?.map((text) => element("code", {}, text)) ?? [NOTHING[name]]));
  }
}

function showForged() {
  if (!state.forged) return $("#forged").replaceChildren();
  const { key, through, straight } = state.forged;
  const result = (where, user, refused) =>
    element(
      "div",
      { className: `card ${user ? "taken" : "refused"}` },
      where,
      element("b", {}, user ? `taken: logged in as ${user}` : "refused: nobody is logged in"),
      element("small", {}, user ? TAKEN[refused] : `${key} is not in the ring: the site got no sessionid.`),
    );
  $("#forged").replaceChildren(
    result("Through Countersign", through, "through"),
    result("Straight to the site", straight, "straight"),
  );
}

const TAKEN = {
  through: "The leaked key is still in the ring: rotate, retire it, and forge again.",
  straight: "The site alone has no other way to tell. Lock it, so that only Countersign reaches it.",
};

function showLog() {
  const kindOf = ({ kind, text }) =>
    kind !== "output" ? kind : text.startsWith("+ ") ? "added" : text.startsWith("- ") ? "removed" : kind;
  const lines = state.log.map((line) =>
    element("span", { className: kindOf(line) }, `${line.kind === "command" ? "$ " : ""}${line.text}\n`),
  );
  $("#log").replaceChildren(...lines);
  $("#log").scrollTop = $("#log").scrollHeight;
}

function showStill() {
  if (!loggedInAt) return;
  const rotations = state.phases.filter(({ at, title }) => title.includes("promoted") && at > loggedInAt * 1000).length;
  if (!rotations || !$("#through")) return;
  $("#still").textContent = "still ";
  $("#through").textContent = ` – through ${rotations} ${rotations === 1 ? "rotation" : "rotations"}`;
}

function say(text, isError = false) {
  if ($("#said").textContent !== text) $("#said").textContent = text;
  $("#said").classList.toggle("error", isError);
}

async function press(name) {
  if (isBusy || !state?.next[name]) return;
  isBusy = true;
  showButtons();
  say(DOING[name]);
  const answer = await call(`/${name}`, "POST").catch(() => null);
  const { error } = (await answer?.json().catch(() => null)) ?? { error: "npm start does not answer" };
  isBusy = false;
  refresh.last = null;
  await refresh();
  if (error) return say(error, true);
  if (name === "forge") return say(state.forged.through ? FORGED.taken : FORGED.refused);
  // A page that is loaded gets the new signatures. The focus is put back where it was.
  sessionStorage.setItem("pressed", JSON.stringify({ name, scroll: scrollY }));
  location.assign("/");
}

const DOING = { rotate: "Rotating …", retire: "Retiring …", forge: "Forging …", "start-over": "Starting over …" };
const DONE = {
  rotate: "Rotated: the new key signs, and your browser has its signature.",
  retire: "Retired: what the leaked key signed opens nothing any more.",
  "start-over": "Started over: wrangler.toml is as it was when npm start began.",
};
const FORGED = {
  taken: "The forged login was taken by both: the leaked key is still in the ring.",
  refused: "The site alone took the forged login. Countersign refused it.",
};

function afterPress() {
  const pressed = sessionStorage.getItem("pressed");
  if (!pressed) return;
  sessionStorage.removeItem("pressed");
  const { name, scroll } = JSON.parse(pressed);
  $(`#${name}`).focus({ preventScroll: true });
  scrollTo(0, scroll);
  const lost = name === "start-over" && $("#log-in") && seen.at(-1)?.key;
  say(DONE[name] + (lost ? ` It has no ${lost}, which signed your login: log in again.` : ""));
}

// ---- start

for (const name of BUTTONS) $(`#${name}`).onclick = () => press(name);
$("#look").onclick = look;
narrow.onchange = () => state?.phases.length && showStrip();
const isDark = matchMedia("(prefers-color-scheme: dark)");
$("#shown").value = isDark.matches ? "dark" : "light";
isDark.onchange = () => ($("#shown").value = isDark.matches ? "dark" : "light");

const kept = sessionStorage.getItem(`state ${token}`);
if (kept) show(kept); // so that nothing jumps while the page before is replaced
afterPress();
refresh().then(look);
setInterval(() => document.visibilityState === "visible" && refresh(), 700);
