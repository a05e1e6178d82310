// The edge of the soak: workerd in several processes, each with a version of the Worker and a clock of its own.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "../e2e/harness/client.mjs";
import { around, ledger, sums, TOKEN } from "../e2e/harness/ledger.mjs";
import { passThrough, worker } from "../e2e/harness/workerd.mjs";
import { wrapper } from "./plants.mjs";

/** Starts `count` processes with `version`; one without a `config` is no Worker. `plant` is a fault of plants.mjs. */
export async function processes(t, { count, origin, worker, version, random, plant }) {
  const build = around(wrapper(plant), worker);
  const bare = await passThrough(t, { origin });
  const all = [];
  for (let at = 0; at < count; at += 1) all.push(await slot(t, { at, origin, build, bare, version, random }));
  return all;
}

async function slot(t, { at, origin, build, bare, version, random }) {
  let last = Promise.resolve();
  const shifts = [];
  const started = (version) => {
    shifts.push(Math.round((random() * 2 - 1) * CLOCKS_APART_S));
    return bound(version, shifts.at(-1));
  };
  const own = await worker(t, { origin, build, ...started(version) });
  const self = {
    at,
    version,
    edge: own,
    /** The seconds that its clock was ahead, a life at a time. */
    shifts,
    /** Whether it gets no request for now, and whether it was killed a moment ago. */
    isDraining: false,
    isDown: false,
    /** The numbers of the requests that are under way in it. */
    underWay: new Set(),
    isLedgerFailing: false,
    /** What was handed to it, by rule and key; what of that since its ledger was read; what went down with it. */
    counts: { sent: {}, held: {}, lost: {} },
    /** Where its ledger said otherwise. */
    mismatches: [],
    /** How its memory went, a life at a time: `{requests, kib}` each. */
    lives: [[]],
    requests: 0,
    get port() {
      return self.edge.port;
    },
    /** Does it when nothing else is done with this process. */
    alone(action) {
      last = last.then(action, action);
      return last;
    },
    count(uses) {
      self.requests += 1;
      for (const use of uses) for (const sum of [self.counts.sent, self.counts.held]) sum[use] = (sum[use] ?? 0) + 1;
    },
    measure() {
      const kib = self.version.config && memory(own.pid);
      if (kib) self.lives[0].push({ requests: self.requests, kib });
    },
    /** Becomes another version, as a deployment does it: what is under way is finished by the one before. */
    replace: (version) =>
      self.alone(async () => {
        self.isDraining = true;
        while (self.underWay.size > 0) await sleep(5);
        await self.settle();
        await self.begin(version);
        self.isDraining = false;
      }),
    /** Ends it in the midst of its work, of which `told` is told, and starts it again. */
    kill: (told) =>
      self.alone(async () => {
        if (!self.version.config) return;
        self.isDown = true;
        told();
        process.kill(own.pid, "SIGKILL");
        await sleep(20);
        self.isDraining = true;
        while (self.underWay.size > 0) await sleep(5);
        await self.begin(self.version);
        await self.settle({ isAfterDeath: true });
        Object.assign(self, { isDown: false, isDraining: false });
      }),
    async begin(version) {
      self.measure();
      if (self.version.config) self.last = self.version;
      self.version = version;
      self.requests = 0;
      self.isLedgerFailing = false;
      self.edge = version.config ? own : bare;
      if (version.config) await own.restart(started(version));
      self.lives.unshift([]);
    },
    /** Has the ledger's object fail, or work again. */
    async failLedger(fails) {
      if (!self.version.config) return false;
      await send(own.port, { host: "control.soak", path: fails ? "/?fails" : "/" });
      self.isLedgerFailing = fails;
      return true;
    },
    /** Has it hand over its counts, so that nothing of them is lost with it, and compares what its ledger has then. */
    async settle({ isAfterDeath = false } = {}) {
      if (!self.version.config) return;
      if (self.isLedgerFailing) await self.failLedger(false);
      let reply;
      // the Worker waits 10 s for its ledger, which on a busy machine may be too short
      for (let time = 0; time < 5 && reply?.status !== 200; time += 1) reply = await ledger(own.port);
      if (reply.status !== 200) throw new Error(`the ledger: ${reply.status} ${reply.text}`);
      compare(opened(sums(reply.json().ledger.days)), isAfterDeath);
    },
    /** Does so for the last time. */
    finish: () =>
      self.alone(async () => {
        if (!self.version.config) await self.begin(self.last);
        await self.settle();
      }),
  };

  function compare(told, isAfterDeath) {
    const { sent, held, lost } = self.counts;
    for (const use of new Set([...Object.keys(sent), ...Object.keys(told)])) {
      const missing = (sent[use] ?? 0) - (told[use] ?? 0);
      const most = isAfterDeath ? (held[use] ?? 0) : 0;
      if (missing < 0 || missing > most) {
        self.mismatches.push(`${use}: ${told[use] ?? 0} told, ${sent[use] ?? 0} sent, at most ${most} lost`);
      }
      if (missing) add(lost, { [use]: missing });
    }
    Object.assign(self.counts, { sent: told, held: {} });
  }
  return self;
}

/** What a process is started with: every version has its keys, a ledger, and a clock that is minutes off. */
function bound({ config, secrets }, shift) {
  return { config, secrets: { ...secrets, COUNTERSIGN_TOKEN: TOKEN }, bindings: { LEDGER: { ledger: true } }, shift };
}

/** A ledger's sums `{"rule key verdict": count}` as uses by rule and key. */
function opened(sums) {
  const uses = {};
  for (const [name, count] of Object.entries(sums)) {
    const [rule, key, verdict] = name.split(" ");
    if (["current", "fallback", "accepted-format"].includes(verdict)) add(uses, { [`${rule} ${key}`]: count });
  }
  return uses;
}

/** The KiB that a process has in memory, by Linux's account; undefined elsewhere. */
function memory(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
  } catch {
    return undefined;
  }
}

export function add(sums, more) {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

// either side of the true time, which the origins have; cookies are taken up to 300 s ahead of the clock
const CLOCKS_APART_S = 240;
