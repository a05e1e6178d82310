// The Worker's entry: the fetch to the origin, and a call into Rust on either side of it.
//
// Everything is decided in Rust. The fetch stands here because a promise that crosses into wasm costs a
// closure and a task for each request. CPU per request of the standalone workerd, re-signed both ways, as a
// multiple of JavaScript that edits the same headers without cryptography: in the measurements from which the
// seam was chosen, 1.12 for this one, 1.25 for a Rust function that chains the promise itself, 1.50 for an
// asynchronous Rust handler. What it is as built: tests/bench/RESULTS.md.
//
// Header values cross as texts. Where a cookie is re-signed both ways, Rust calls back for two clocks and two edits
// (edits.js). In a loop inside workerd, in µs: a copy of a request with another Cookie 3.3, a copy of a response with
// another Set-Cookie 2.1, a header read 0.2, a text of 300 letters into Rust 0.2 and out of it 0.3; in Node, all of
// Rust's own work 7, of which SHA-256 is 3.
import {
  Forwarded,
  __wbg_reset_state,
  initSync,
  judge_request,
  judge_response,
  set_panic_hook,
  status,
  stored_secrets,
  unreachable,
} from "./countersign.js";
import module from "./countersign_bg.wasm";

initSync({ module });
set_panic_hook();

/** How many instances of the wasm there have been: what a panic left behind belongs to an earlier one. */
let instance = 0;

/**
 * What is bound, with the texts of secrets that stand in a Secrets Store in the place of their bindings. `undefined`
 * until all of them have been read: one that fails is asked for again by the next request.
 */
let known;

export default {
  async fetch(request, env) {
    const began = instance;
    let decision;
    let bound = known;
    try {
      if (!bound) {
        const stored = stored_secrets(env);
        bound = stored.length ? await withTexts(env, stored) : env;
        if (!stored.length || !stored_secrets(bound).length) known = bound;
      }
      const { headers } = request;
      decision = judge_request(request, bound, request.url, headers.get("cookie"), headers.get("authorization"));
      if (decision === "status") return status(request, bound, await request.text());
    } catch (fault) {
      return faulted(fault);
    }
    if (decision instanceof Response) return decision;
    const forwarded = decision instanceof Forwarded ? decision : undefined;
    const forward = forwarded ? forwarded.forward : decision;
    // An upgrade that another request's panic has come between is not sent; cookies are sealed all the same.
    const left = () => (began === instance ? forwarded : undefined);
    let response;
    try {
      response = await (env.ORIGIN ?? globalThis).fetch(forward ?? request);
    } catch {
      response = undefined;
    }
    try {
      if (!response) return unreachable(request, bound, left());
      const setCookies = response.headers.getSetCookie(); // `get` would fold several into one
      if (!setCookies.length && !forwarded) return response;
      const lines = setCookies.map((line) => `${line}\n`).join("");
      return judge_response(request, bound, response, lines, left()) ?? response;
    } catch (fault) {
      return faulted(fault);
    }
  },
};

// Each request that comes before they are known reads them itself: the runtime lets no request wait for what another
// has asked for. What fails or takes too long stays a binding, in which Rust finds no text.
async function withTexts(env, names) {
  const texts = await Promise.all(names.map((name) => inTime(env[name])));
  const read = names.flatMap((name, at) => (typeof texts[at] === "string" ? [[name, { value: texts[at] }]] : []));
  return Object.create(env, Object.fromEntries(read));
}

/** The text of a secret in a store; nothing where it cannot be read. */
async function inTime(secret) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  try {
    return await Promise.race([secret.get(), late]);
  } catch {
    return undefined; // its words may hold more than a log should
  } finally {
    clearTimeout(timer);
  }
}

// How long a request waits for a store.
const PATIENCE_MS = 5_000;

// After a panic the wasm instance is in no known state: the next request gets a new one. Nothing of the
// fault is shown to the visitor, and the origin's answer to a request that was not judged never is.
function faulted(fault) {
  // Rust's own faults are texts; the message of an exception of the runtime may hold a visitor's URL
  let reason = typeof fault === "string" ? fault : fault?.name;
  if (fault instanceof WebAssembly.RuntimeError) {
    instance += 1;
    __wbg_reset_state();
    set_panic_hook();
    reason = fault.stack; // where in the wasm, and no more: the words of a trap are fixed
  }
  console.error(`countersign: a fault of its own, answered with 500: ${reason}`);
  return new Response("Countersign has failed on this request\n", {
    status: 500,
    headers: { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" },
  });
}
