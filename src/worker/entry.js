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
  deleted,
  deleted_elsewhere,
  initSync,
  judge_request,
  judge_response,
  ledger_answered,
  ledger_batch,
  ledger_is_busy,
  ledger_object,
  ledger_prepare,
  ledger_status,
  ledger_wait,
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
  async fetch(request, env, context) {
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
      if (decision === "ledger") return ledger_status(request, bound, await ledgerAccount(request.url, env));
    } catch (fault) {
      return faulted(fault);
    }
    handOver(env, context);
    if (decision instanceof Response) return decision;
    const forwarded = decision instanceof Forwarded ? decision : undefined;
    const forward = forwarded ? forwarded.forward : decision;
    // An upgrade that another request's panic has come between is not sent; cookies are sealed all the same.
    const left = () => (began === instance ? forwarded : undefined);
    const watch = watched(env, forwarded);
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
      const judged = judge_response(request, bound, response, lines, left()) ?? response;
      handOver(env, context);
      tellDeleted(env, context);
      return judged;
    } catch (fault) {
      return faulted(fault);
    } finally {
      watch?.abort();
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

/** The Durable Object behind the binding LEDGER. */
export class Ledger {
  #storage;
  /** The day, counted from 1970, for which its tables are prepared. */
  #prepared;

  constructor(state) {
    this.#storage = state.storage;
  }

  async fetch(request) {
    if (new URL(request.url).pathname === DELETED) return this.#carry(request);
    const batch = request.method === "POST" ? await request.text() : undefined;
    try {
      const { sql } = this.#storage;
      const day = Math.floor(Date.now() / DAY_MS);
      if (this.#prepared !== day) this.#storage.transactionSync(() => ledger_prepare(sql));
      this.#prepared = day;
      return new Response(this.#storage.transactionSync(() => ledger_object(sql, request.url, batch)));
    } catch (fault) {
      const reason = recovered(fault);
      const status = typeof fault === "string" ? 400 : 503; // a batch that is refused, or a fault
      return new Response(fault?.message ?? reason, { status });
    }
  }

  // Cookies that were deleted lately, and who waits to hear of one: an isolate that has an upgrade of it under way.
  #deleted = new Map();
  #watches = new Set();

  async #carry(request) {
    const list = request.method === "POST" ? await request.text() : new URL(request.url).search.slice(1);
    const cookies = list.split(",");
    if (request.method === "POST") return this.#announce(cookies);
    const known = () => cookies.filter((cookie) => Date.now() - this.#deleted.get(cookie) <= DELETED_MS);
    if (!known().length) await this.#hears(cookies);
    return new Response(known().join(","));
  }

  #announce(cookies) {
    for (const cookie of cookies) {
      this.#deleted.delete(cookie); // the newest are the last
      this.#deleted.set(cookie, Date.now());
    }
    for (const [cookie, at] of this.#deleted) {
      if (Date.now() - at <= DELETED_MS) break;
      this.#deleted.delete(cookie);
    }
    for (const { wanted, tell } of this.#watches) if (cookies.some((cookie) => wanted.includes(cookie))) tell();
    return new Response();
  }

  async #hears(wanted) {
    const until = Date.now() + WATCH_MS;
    for (const watch of this.#watches) {
      if (watch.until > Date.now()) break;
      this.#watches.delete(watch); // one that was given up is not heard of again
    }
    let watch, timer;
    const heard = new Promise((tell) => this.#watches.add((watch = { wanted, tell, until })));
    const late = new Promise((resolve) => (timer = setTimeout(resolve, WATCH_MS)));
    await Promise.race([heard, late]);
    clearTimeout(timer);
    this.#watches.delete(watch);
  }
}

// Where isolates tell each other of deletions. It is another object than the one that counts, and keeps nothing.
const DELETED = "/deleted";
const DELETIONS = "deletions";
const DELETED_MS = 10_000;
// No upgrade is sent later than 2 s after its request.
const WATCH_MS = 2_500;
const MOST_A_SECOND = 50;

/** Hears of deletions of a request's cookies while the origin answers. No request waits or fails by it. */
function watched(env, forwarded) {
  const cookies = env.LEDGER && forwarded?.under_way;
  if (!cookies || !mayCall()) return undefined;
  const watch = new AbortController();
  const began = instance;
  const heard = (deleted) => deleted && began === instance && deleted_elsewhere(deleted);
  deletions(env)
    .fetch(`http://ledger${DELETED}?${cookies}`, { signal: watch.signal })
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then(heard)
    .catch(recovered);
  return watch;
}

/** Tells the other isolates which cookies were deleted. */
function tellDeleted(env, context) {
  if (!env.LEDGER) return;
  try {
    const cookies = deleted();
    if (!cookies || !mayCall()) return;
    const told = deletions(env).fetch(`http://ledger${DELETED}`, { method: "POST", body: cookies });
    context.waitUntil(told.catch(() => {}));
  } catch (fault) {
    recovered(fault);
  }
}

const deletions = (env) => env.LEDGER.get(env.LEDGER.idFromName(DELETIONS));

/** Bounds the calls of this isolate: a second's first ones are made. */
function mayCall() {
  const second = Math.floor(Date.now() / 1000);
  if (second !== callsOf.second) callsOf = { second, calls: 0 };
  callsOf.calls += 1;
  return callsOf.calls <= MOST_A_SECOND;
}

let callsOf = { second: 0, calls: 0 };

const DAY_MS = 86_400_000;
const LEDGER = "ledger"; // there is one for the Worker
const LEDGER_PATIENCE_MS = 10_000;
const LONGEST_REASON = 200;
const BUSY_MS = 20;
const MOST_BUSY = 100;

/** Has the counts handed over to the ledger in time. No request waits for it, and none fails by it. */
function handOver(env, context) {
  if (!env.LEDGER) return;
  try {
    const wait = ledger_wait();
    if (wait >= 0) context.waitUntil(handedOver(env, wait));
  } catch (fault) {
    recovered(fault);
  }
}

async function handedOver(env, wait) {
  const began = instance;
  const isLost = () => began !== instance;
  if (wait > 0) await scheduler.wait(wait);
  try {
    for (let isMore = true; isMore && !isLost();) {
      const batch = ledger_batch();
      if (batch === undefined) return;
      const { status, reason } = await asked(env, "", { method: "POST", body: batch });
      if (!isLost()) isMore = ledger_answered(status, reason);
    }
  } catch (fault) {
    recovered(fault);
  }
}

/** What the ledger tells, with what this isolate has counted by now. */
async function ledgerAccount(url, env) {
  if (!env.LEDGER) return undefined;
  for (let time = 0; time < MOST_BUSY && ledger_is_busy(); time += 1) await scheduler.wait(BUSY_MS);
  await handedOver(env, 0);
  const { status, text } = await asked(env, new URL(url).search);
  return status === 200 ? text : undefined;
}

/** What the ledger answers: `{status, text}`, or status 0 and a reason. What is sent holds nothing of a visitor's. */
async function asked(env, search, init) {
  try {
    const ledger = env.LEDGER.get(env.LEDGER.idFromName(LEDGER));
    const signal = AbortSignal.timeout(LEDGER_PATIENCE_MS);
    const answer = await ledger.fetch(`http://ledger/${search}`, { ...init, signal });
    const text = await answer.text();
    return { status: answer.status, text, reason: answer.ok ? undefined : text.slice(0, LONGEST_REASON) };
  } catch (fault) {
    return { status: 0, reason: fault?.message };
  }
}

function reset() {
  instance += 1;
  __wbg_reset_state();
  set_panic_hook();
}

// After a panic the wasm instance is in no known state: the next request gets a new one. Nothing of the
// fault is shown to the visitor, and the origin's answer to a request that was not judged never is.
function faulted(fault) {
  console.error(`countersign: a fault of its own, answered with 500: ${recovered(fault)}`);
  return new Response("Countersign has failed on this request\n", {
    status: 500,
    headers: { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" },
  });
}

/** Sees to it that the next call into Rust works, and answers what the fault was. */
function recovered(fault) {
  // Rust's own faults are texts; the message of an exception of the runtime may hold a visitor's URL
  if (!(fault instanceof WebAssembly.RuntimeError)) return typeof fault === "string" ? fault : fault?.name;
  reset();
  return fault.stack; // where in the wasm, and no more: the words of a trap are fixed
}
