// A fleet during a gradual deployment: two versions of the Worker, and sessions whose every request meets either.
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { browser } from "./browser.mjs";
import { status, TOKEN } from "./verdict.mjs";
import { passThrough, worker } from "./workerd.mjs";

/** Runs versions `{config, secrets}`, all in front of one origin, as a map; no config is no Worker. */
export async function fleet(t, origin, versions) {
  const running = new Map();
  await each(versions, async (version) => running.set(version, await start(t, origin, version)));
  return running;
}

function start(t, origin, { config, secrets }) {
  if (config === null) return passThrough(t, { origin });
  return worker(t, { origin, config, secrets: { ...secrets, COUNTERSIGN_TOKEN: TOKEN } });
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (the algorithm is mulberry32). */
export function randomness(seed) {
  let state = createHash("sha256").update(seed).digest().readInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sends each request to one of two versions, to `to` in this share of them. */
function between(from, to, share, random) {
  return {
    get port() {
      return random() < share ? to.port : from.port;
    },
  };
}

/** A session in use, and what the site ought to know of it. `known` is the state of one that is copied. */
export function session(name, random, known = { user: "", session: {} }, jar = []) {
  const visitor = browser(null);
  visitor.jar.push(...jar.map((cookie) => ({ ...cookie })));
  const expected = structuredClone(known);

  const self = {
    name,
    random,
    requests: 0,
    /** Answers that did not know the visitor. */
    missed: 0,
    /** Whether the last page knew him. */
    isKnown: true,
    cookie: () => `sessionid=${visitor.cookie("sessionid")}`,
    copy: (random) => session(name, random, expected, visitor.jar),
    async login(at) {
      Object.assign(expected, { user: "ada", session: { basket: [name] } });
      await request(at, () => visitor.go(`/login?item=${name}`));
    },
    async add(at) {
      const basket = (expected.session.basket ??= []);
      basket.push(`${name}-${basket.length}`);
      await request(at, () => visitor.fetch(`/add?item=${basket.at(-1)}`, { method: "POST" }));
    },
    page: (at) => look(at, () => visitor.go("/")),
    script: (at) => look(at, () => visitor.fetch("/")),
    /** Does what visitors do, by chance. */
    act(at) {
      const chance = random();
      return chance < 0.4 ? self.page(at) : chance < 0.6 ? self.script(at) : self.add(at);
    },
  };

  async function request(at, send) {
    visitor.at = at;
    self.requests += 1;
    const answer = await send();
    if (![200, 302].includes(answer.status)) throw new Error(`${name}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer;
  }
  async function look(at, send) {
    const { user, session } = (await request(at, send)).json();
    self.isKnown = isDeepStrictEqual({ user, session }, expected);
    if (!self.isKnown) self.missed += 1;
  }
  return self;
}

/**
 * A change as a fleet goes through it: a request of each session while `to` has this share, for each of `shares`,
 * and at last a page of `to`, which has all. Tells `{sessions, requests, missed, lost}`.
 */
export async function rollOut(sessions, from, to, shares) {
  for (const one of sessions) Object.assign(one, { requests: 0, missed: 0 });
  for (const share of shares) await each(sessions, (one) => one.act(between(from, to, share, one.random)));
  await each(sessions, (one) => one.page(to));
  const sum = (field) => sessions.reduce((sum, one) => sum + one[field], 0);
  const lost = sessions.filter((one) => !one.isKnown).length;
  return { sessions: sessions.length, requests: sum("requests"), missed: sum("missed"), lost };
}

/** Shows each session to a version until none is under an old key or in an old format; counts those that stay so. */
export async function move(sessions, edge) {
  let left = sessions;
  for (const end = Date.now() + PATIENCE_MS; left.length > 0 && Date.now() < end;) {
    await each(left, (one) => one.page(edge));
    const moved = new Set();
    await each(left, async (one) => (await status(edge, one.cookie())).verdict === "current" && moved.add(one));
    left = left.filter((one) => !moved.has(one));
  }
  return left.length;
}

/** Does it for each, several at once. */
export async function each(items, action) {
  const waiting = [...items];
  const next = async () => {
    while (waiting.length > 0) await action(waiting.shift());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

const AT_ONCE = 8;
// A page that is late brings no upgrade, and on a busy machine some are. Nor does one in the 10 s after a copy of the
// session has been given another cookie.
const PATIENCE_MS = 20_000;
