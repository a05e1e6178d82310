// The crowd of the soak: thousands of visitors at four sites, and some who try to get in.
import { randomness } from "../e2e/harness/fleet.mjs";
import { READERS, payload, payloadOf, signed } from "./reading.mjs";
import { ORIGIN_KEYS } from "./operator.mjs";
import { NOBODY, SCRIPT, visitor } from "./visitor.mjs";
import { opensKind, tampered } from "./world.mjs";
import { NAVIGATION } from "../e2e/harness/browser.mjs";

/** So many visitors, spread over the sites; each lives by a seed of its own. */
export function crowd({ sessions, seed, world }) {
  const rules = Object.keys(READERS);
  const everyone = Array.from({ length: sessions }, (_, n) =>
    visitor(`s${n}`, rules[n % rules.length], randomness(`${seed} ${n}`), world),
  );
  const random = randomness(`${seed} crowd`);
  let moving = [];
  let isEnded = false;

  const self = {
    everyone,
    /** Every session begins, the first of Django's with a password. */
    async begin() {
      const logins = everyone.filter(({ rule }) => rule === "sessionid").slice(0, LOGINS);
      await each(everyone, (one) => busy(one, () => (logins.includes(one) ? one.login() : one.write())));
    },
    /** Has them act until `end()`. */
    run: () => Promise.all(Array.from({ length: AT_ONCE }, acting)),
    end: () => (isEnded = true),
    /** Every session looks at a page once more, while nothing goes wrong. */
    async look() {
      world.isCalm = true;
      await each(everyone, (one) => busy(one, one.page));
    },
    /** Who has what the version would not open, and what is deployed does. */
    leftBy: (version) =>
      everyone.filter(({ rule, kind }) => kind && opensKind(world.live, rule, kind) && !opensKind(version, rule, kind)),
    /** Shows pages to whoever has what a version would not open, until nobody has; answers how many have it still. */
    async move(version) {
      let left = self.leftBy(version);
      for (const end = world.figures.requests + PATIENCE + left.length * PAGES_EACH; left.length > 0;) {
        if (world.figures.requests > end) break;
        moving = left;
        while (moving.length > 0) await world.after(1);
        left = self.leftBy(version);
      }
      return left.length;
    },
  };

  async function acting() {
    while (!isEnded) {
      const one = next();
      if (one.isBusy) await new Promise((resolve) => setImmediate(resolve));
      else if (random() < ATTACK_SHARE) await attack(one, random, world);
      else await busy(one, one.isMoving ? one.page : one.act);
      one.isMoving = false;
    }
  }
  function next() {
    if (moving.length > 0 && random() < 0.8) return Object.assign(moving.pop(), { isMoving: true });
    return everyone[Math.floor(random() * everyone.length)];
  }
  return self;
}

async function busy(one, action) {
  one.isBusy = true;
  try {
    await action();
  } finally {
    one.isBusy = false;
  }
}

async function each(items, action) {
  const waiting = [...items];
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) await action(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const MALLORYS_KEY = "a key that mallory has made for himself";
const TOO_OLD = "a cookie that is too old";

/** What is tried with the cookie of a victim: the cookies that are sent, and the key that signed them if one did. */
const ATTACKS = {
  "a signature changed": ({ rule, texts }) => pairs(rule, [...texts.slice(0, -1), tampered(texts.at(-1), 8)]),
  "a payload changed": ({ rule, texts }) => pairs(rule, [tampered(texts[0], texts[0].length - 5), ...texts.slice(1)]),
  "another's key": ({ rule }) => list(signed(rule, payload(rule, "mallory"), MALLORYS_KEY)),
  "another site's cookie": ({ rule, world, texts }) => {
    const others = Object.keys(READERS).filter((other) => other !== rule);
    const other = others[texts[0].length % others.length];
    const { key } = world.live.rings[other].seals;
    const [value] = Object.values(signed(other, payload(other, "mallory"), world.keys[key]));
    return pairs(rule, READERS[rule].parts.map(() => value));
  },
  [TOO_OLD]: ({ rule, world }) => {
    const { key, digest } = world.live.rings[rule].seals;
    return list(signed(rule, payload(rule, "mallory", 33 * 86_400), world.keys[key], digest));
  },
  "a cookie in a quoted value": ({ rule }) => {
    const cookies = list(signed(rule, payload(rule, "mallory"), MALLORYS_KEY));
    return cookies.map((pair) => `note="x; ${pair}`);
  },
  "a look-alike": ({ rule, random, world, texts }) => {
    const cookies = list(signed(rule, payloadOf(rule, texts) ?? "x", world.keys[ORIGIN_KEYS[rule]]));
    const spell = SPELLINGS[Math.floor(random() * SPELLINGS.length)];
    return cookies.map(spell);
  },
};
const WITH_A_TIME = ["sessionid", "flask"];
const SPELLINGS = [
  (pair) => pair[0].toUpperCase() + pair.slice(1),
  (pair) => `%${pair.charCodeAt(0).toString(16)}${pair.slice(1)}`,
  (pair) => `note="x, ${pair}`,
  (pair) => `$${pair}`,
  (pair) => pair.replace("=", "\t="),
];

async function attack(victim, random, world) {
  if (!victim.kind || !world.live.config) return;
  const { rule, site } = victim;
  const isByKey = random() < 0.15;
  const names = Object.keys(ATTACKS).filter((name) => WITH_A_TIME.includes(rule) || name !== TOO_OLD);
  const kind = isByKey ? "a key that is out of the ring" : names[Math.floor(random() * names.length)];
  const key = isByKey && outOfRing(rule, random, world);
  if (isByKey && !key) return;
  const texts = victim.texts();
  const signer = key && { key, digest: READERS[rule].digests[0] };
  const cookies = key
    ? list(signed(rule, payload(rule, "mallory"), world.keys[key]))
    : ATTACKS[kind]({ rule, texts, random, world });
  const isOpen = (version) => !version.config || (signer && opensKind(version, rule, signer));
  world.attacks[kind] = (world.attacks[kind] ?? 0) + 1;
  const mallory = { name: "mallory", rule, faults: new Set(), kind: signer || undefined };
  const uses = (version) => (signer && isOpen(version) ? [`${rule} ${key}`] : []);
  const headers = random() < 0.5 ? NAVIGATION : SCRIPT;
  const page = { method: "GET", path: "/", host: site.host, headers, cookie: cookies.join("; ") };
  const reply = await world.send({ ...page, uses, random, isAttack: true }, mallory);
  if (!reply.isWhole || isOpen(reply.request.version)) return;
  if (site.read(reply) !== NOBODY) world.problem("entered", mallory, reply, `the site took ${kind}`);
  if (reply.setCookies.some((text) => !/max-age=0|expires=thu, 01.jan.1970/i.test(text))) {
    world.problem("entered", mallory, reply, `a browser got a cookie for ${kind}`);
  }
}

/** A key of a rule that the version which is deployed does not open. */
function outOfRing(rule, random, world) {
  const prefix = `${rule.replaceAll(/\W/g, "_").toUpperCase()}_`;
  const all = Object.keys(world.keys).filter((key) => key.startsWith(prefix) || key === ORIGIN_KEYS[rule]);
  const out = all.filter((key) => !world.live.rings[rule].opens.some((one) => one.key === key));
  return out[Math.floor(random() * out.length)];
}

const pairs = (rule, texts) => READERS[rule].parts.map((part, at) => `${part}=${texts[at]}`);
const list = (cookies) => Object.entries(cookies).map(([name, value]) => `${name}=${value}`);

const LOGINS = 40;
const AT_ONCE = 16;
const ATTACK_SHARE = 0.08;
// an upgrade is withheld from pages that come late, and some answers do not come at all
const PATIENCE = 5_000;
const PAGES_EACH = 20;
