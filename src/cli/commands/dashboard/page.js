// Asks the command line every ten seconds, and puts what is new into the page.
"use strict";

const INTERVAL = 10_000;
const STALE = 30_000;
const LONGEST = 90_000; // the Worker may take its time

const element = (id) => document.getElementById(id);
// The HTML comes from the command line, which has escaped all that it has from elsewhere.
const policy = window.trustedTypes?.createPolicy("board", { createHTML: (html) => html }) ?? { createHTML: (html) => html };
const drawn = new Map();

let token = null;
let timer = null;
let asked = null; // when the last answer came
let isPaused = false;
let health = "unknown";

/** Exchanges the one-time token of the address, which then leaves the address and the history. */
async function open() {
  const oneTime = location.hash.slice(1);
  history.replaceState(null, "", "/");
  if (!oneTime) return fail("An address works once, and a reload needs a new one: press Enter where countersign dashboard runs.");
  try {
    const reply = await get("/session", oneTime);
    if (!reply.ok) return fail("This address has been used. If that was not you, end the command. For a new one press Enter where it runs.");
    ({ token } = await reply.json());
  } catch {
    return fail(ENDED);
  }
  await update();
}

const ENDED = "The command line does not answer. Start it again: countersign dashboard";

/** Asks, draws, and comes again later. */
async function update() {
  clearTimeout(timer);
  if (token === null || isPaused || document.hidden) return;
  try {
    const reply = await get("/board", token);
    if (reply.ok) draw(await reply.json());
    else fail("The command line does not know this page any more. Press Enter where it runs for a new address.");
  } catch {
    fail(ENDED);
  }
  clearTimeout(timer);
  timer = setTimeout(update, INTERVAL);
}

const get = (path, bearer) =>
  fetch(path, { headers: { Authorization: `Bearer ${bearer}` }, cache: "no-store", signal: AbortSignal.timeout(LONGEST) });

function draw(board) {
  setText(element("site"), board.site.replace(/^https?:\/\//, ""));
  for (const [id, html] of Object.entries(board.parts ?? {})) put(id, html);
  if (board.failure) {
    fail(`The Worker does not answer: ${board.failure}.`);
  } else {
    asked = Date.now();
    element("banner").hidden = true;
    element("main").classList.remove("stale", "unknown");
    if (board.announcement) setText(element("announcement"), board.announcement);
  }
  mark(board.health, board.site);
  tick();
}

/** Only what has changed is drawn anew; open tables, focus and scrolling stay. */
function put(id, html) {
  if (drawn.get(id) === html) return;
  drawn.set(id, html);
  const part = element(id);
  const focusable = () => [...part.querySelectorAll("button, summary, [tabindex]")];
  const scrolled = () => [...part.querySelectorAll(".scroll")];
  const opened = [...part.querySelectorAll("details[open]")].map((details) => details.id);
  const focused = focusable().indexOf(document.activeElement);
  const places = scrolled().map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);
  part.innerHTML = policy.createHTML(html);
  for (const details of opened) element(details)?.setAttribute("open", "");
  scrolled().forEach((region, at) => places[at] && region.scrollTo(...places[at]));
  if (focused >= 0) focusable()[focused]?.focus({ preventScroll: true });
}

/** Says that what is shown is old, and why. */
function fail(why) {
  const since = asked === null ? "" : ` What you see is of ${new Date(asked).toLocaleTimeString()}.`;
  setText(element("banner"), why + since);
  element("banner").hidden = false;
  element("main").classList.add("stale");
  mark("bad", null);
  tick();
}

/** The title and the icon, which tell how it stands from another tab. */
function mark(state, site) {
  health = state;
  const word = { good: "", attention: "▲ ", bad: "✖ " }[state] ?? "";
  if (site) document.title = `${word}${site.replace(/^https?:\/\//, "")} – Countersign`;
  else if (!document.title.startsWith("✖")) document.title = `✖ ${document.title.replace(/^▲ /, "")}`;
  const [colour, shape] = ICONS[state];
  element("icon").href = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="${colour}" d="${shape}"/></svg>`)}`;
}

const ICONS = {
  good: ["#2a7f5f", "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z"],
  attention: ["#b7791f", "M8 1 15.5 15H.5Z"],
  bad: ["#c0392b", "M5 1h6l4 4v6l-4 4H5l-4-4V5Z"],
};

/** How old it is, every second. */
function tick() {
  const age = asked === null ? null : Date.now() - asked;
  const words = age === null ? "no answer yet" : `Worker asked ${Math.round(age / 1000)} s ago`;
  const isStale = age === null || age > STALE;
  element("freshness").classList.toggle("is-stale", isStale && !isPaused && age !== null);
  setText(element("freshness"), `${words}${isPaused ? ", paused" : isStale && age !== null ? ", stale" : ", every 10 s"}`);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

async function copy(button) {
  const before = [...button.childNodes].map((node) => node.cloneNode(true));
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector(".command"));
    button.textContent = "Selected";
  }
  setText(element("announcement"), `${button.textContent}: ${button.dataset.copy}`);
  setTimeout(() => button.isConnected && button.replaceChildren(...before), 2_000);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (button) void copy(button);
});
element("pause").addEventListener("click", ({ currentTarget }) => {
  isPaused = !isPaused;
  currentTarget.setAttribute("aria-pressed", String(isPaused));
  tick();
  void update();
});
document.addEventListener("visibilitychange", () => void update());
setInterval(tick, 1_000);
void open();
