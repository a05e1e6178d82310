// Faults that are planted in the Worker, the switch or a deployment, to prove that the soak sees them (`--plant NAME`).
import { ORIGIN_KEYS } from "./operator.mjs";

/** What each plant does. */
export const PLANTS = {
  "lost-session": "the switch damages one upgrade in a thousand",
  unsealed: "the Worker leaves one Set-Cookie in a thousand as the origin signed it",
  unverified: "the Worker hands one request in a thousand to the origin as it came",
  "forgotten-fallback": "a promotion reaches one process without the fallbacks",
};

/**
 * The module around the built Worker: its ledger's object fails when a request to the host `control.soak` says so.
 */
export function wrapper(plant) {
  return `import worker, { Ledger as Own } from "./built.js";
let fails = false;
export class Ledger extends Own {
  async fetch(request) {
    if (fails) throw new Error("the object is broken");
    return super.fetch(request);
  }
}
const isPlanted = (request) => request.headers.get("x-soak")?.endsWith("planted");
const own = (request, env, context) => worker.fetch(request, env, context);
${HANDLERS[plant] ?? "const handle = own;"}
export default {
  fetch(request, env, context) {
    const { hostname, search } = new URL(request.url);
    if (hostname !== "control.soak") return handle(request, env, context);
    fails = search === "?fails";
    return new Response("done");
  },
};
`;
}

const HANDLERS = {
  unverified: `const handle = (request, env, context) =>
  isPlanted(request) ? fetch(request) : own(request, env, context);`,
  unsealed: `const handle = async (request, env, context) => {
  if (!isPlanted(request)) return own(request, env, context);
  let set = [];
  const ORIGIN = { fetch: async (...sent) => {
    const reply = await fetch(...sent);
    set = reply.headers.getSetCookie();
    return reply;
  } };
  const reply = await own(request, Object.create(env, { ORIGIN: { value: ORIGIN } }), context);
  const bare = new Response(reply.body, reply);
  bare.headers.delete("set-cookie");
  for (const cookie of set) bare.headers.append("set-cookie", cookie);
  return bare;
};`,
};

/**
 * Says which requests meet a fault that the Worker has: one in a thousand, where it would be seen, which it is not while
 * the ring is the origin's own key.
 */
export function plants(plant, planted) {
  const [first, isMet] = { unverified: [250, ({ kind }) => kind], unsealed: [100, (_, isRead) => !isRead] }[plant] ?? [];
  let count = 0;
  return (visitor, isRead, live) => {
    const { key } = live.rings[visitor.rule].seals;
    if (!isMet || key === ORIGIN_KEYS[visitor.rule] || !isMet(visitor, isRead)) return false;
    count += 1;
    if (count % 1000 !== first) return false;
    planted();
    return true;
  };
}

/** Changes what the switch hands back: every thousandth answer that sets a managed cookie has its value damaged. */
export function damage(plant, { isRead, planted }) {
  if (plant !== "lost-session") return undefined;
  let upgrades = 0;
  return (bytes, number) => {
    const text = bytes.toString("latin1");
    const set = isRead(number) && /^set-cookie: (?:sessionid|flask|connect\.sid|session)=[^;]{20}/im.exec(text);
    if (!set || (upgrades += 1) % 1000 !== 250) return bytes;
    planted();
    const at = set.index + set[0].length - 1;
    return Buffer.from(text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1), "latin1");
  };
}

/** The version that one process is given in a promotion's place. */
export function forgetful(plant, version, kind) {
  if (plant !== "forgotten-fallback" || kind !== "promote") return undefined;
  const cookies = version.config.cookies.map((rule) => ({ ...rule, keys: { ...rule.keys, fallbacks: [] } }));
  return { ...version, config: { ...version.config, cookies }, label: `${version.label} (fallbacks forgotten)` };
}
