// The edge of the soak: workerd in several processes, each with a version of the Worker and a clock of its own.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "../e2e/harness/client.mjs";
import { around, ledger, sums, TOKEN } from "../e2e/harness/ledger.mjs";
import { passThrough, worker } from "../e2e/harness/workerd.mjs";
import { wrapper } from "./plants.mjs";

/** Starts `count` processes with `version`; one without a `config` is no Worker. `plant` is a fault of plants.mjs. */
export async function processes(t, { count, origin, version, random, plant }) {
  const build = around(wrapper(plant));
  const bare = await passThrough(t, { origin });
  const all = [];
  for (let at = 0; at < count; at += 1) all.push(await slot(t, { at, origin, build, bare, version, random }));
  return all;
}

async function slot(t, { at, origin, build, bare, version, random }) {
  let last = Promise.resolve();
  const own = await worker(t, { origin, build, ...bound(version, random) });
  const self = {
    at,
    version,
    edge: own,
    /** Whether it gets no request for now, and whether it was killed a moment ago. */
    isDraining: false,
    isDown: false,
    /** The numbers of the requests that are under way in it. */
    underWay: new Set(),
    isLedgerFailing: false,
    /** What was handed to it, by rule and key; since its counts were last told; and of what the count went down with it. */
    counts: { sent: {}, held: {}, unsure: {} },
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
        await self.begin(self.version);
        self.isDown = false;
        add(self.counts.unsure, self.counts.held);
        self.counts.held = {};
      }),
    async begin(version) {
      self.measure();
      if (self.version.config) self.last = self.version;
      self.version = version;
      self.requests = 0;
      self.isLedgerFailing = false;
      self.edge = version.config ? own : bare;
      if (version.config) await own.restart(bound(version, random));
      self.lives.unshift([]);
    },
    /** Has the ledger's object fail, or work again. */
    async failLedger(fails) {
      if (!self.version.config) return false;
      await send(own.port, { host: "control.soak", path: fails ? "/?fails" : "/" });
      self.isLedgerFailing = fails;
      return true;
    },
    /** Has it hand over its counts, so that nothing of them is lost with it. */
    async settle() {
      if (!self.version.config) return undefined;
      if (self.isLedgerFailing) await self.failLedger(false);
      const reply = await ledger(own.port);
      if (reply.status !== 200) throw new Error(`the ledger: ${reply.status} ${reply.text}`);
      self.counts.held = {};
    },
    /** What its ledger has, by rule, key and verdict. */
    async told() {
      if (!self.version.config) await self.begin(self.last);
      await self.settle();
      return sums((await ledger(own.port)).json().ledger.days);
    },
  };
  return self;
}

/** What a process is started with: every version has its keys, a ledger, and a clock that is minutes off. */
function bound({ config, secrets }, random) {
  const shift = Math.round((random() * 2 - 1) * CLOCKS_APART_S);
  return { config, secrets: { ...secrets, COUNTERSIGN_TOKEN: TOKEN }, bindings: { LEDGER: { ledger: true } }, shift };
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
