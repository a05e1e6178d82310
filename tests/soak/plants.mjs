// Faults that are planted in the Worker, the switch or a deployment, to prove that the soak sees them (`--plant NAME`).

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
let count = 0;
const OF = 1000;
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
  request.headers.has("cookie") && ++count % OF === OF / 4 ? fetch(request) : own(request, env, context);`,
  unsealed: `const handle = async (request, env, context) => {
  let set = [];
  const ORIGIN = { fetch: async (...sent) => {
    const reply = await fetch(...sent);
    set = reply.headers.getSetCookie();
    return reply;
  } };
  const reply = await own(request, Object.create(env, { ORIGIN: { value: ORIGIN } }), context);
  if (!set.length || ++count % OF !== OF / 10) return reply;
  const bare = new Response(reply.body, reply);
  bare.headers.delete("set-cookie");
  for (const cookie of set) bare.headers.append("set-cookie", cookie);
  return bare;
};`,
};

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
