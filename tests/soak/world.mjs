// What the soak knows of every request: which process took it, what may excuse its answer, whether the answer is right.
import { exchange } from "../e2e/harness/client.mjs";
import { parseSetCookie } from "../e2e/harness/browser.mjs";
import { headerValues } from "../e2e/harness/http.mjs";
import { ORIGIN_KEYS } from "./operator.mjs";
import { FAULTS } from "./origin.mjs";
import { MANAGED, READERS, signerOf } from "./reading.mjs";

/**
 * The account of a run; `keys` are all that there are, `{id: bytes}`, and `plants` says whether a request is to meet a
 * planted fault.
 */
export function world({ keys, plants }) {
  const requests = new Map();
  const waiting = [];
  const excuses = new Set();
  let last = 0;

  const self = {
    keys,
    /** Where the switch listens. */
    port: 0,
    /** What is deployed; while a deployment is under way, what it comes from. */
    live: undefined,
    figures: {
      ...{ requests: 0, mixed: 0, answers: {}, given: 0, shown: 0 },
      ...{ lost: 0, wrong: 0, unverified: 0, misgiven: 0, entered: 0, unexplained: 0, others: 0 },
    },
    /** Faults by kind: how often there was one, whom it met, and who was known afterwards. */
    faults: {},
    attacks: {},
    problems: [],
    isOver: false,
    /** Whether some requests meet no Worker, and so nothing that keeps a planted copy from the site. */
    isBare: false,
    /** Whether the versions stay as they are, so that the processes grow old. */
    isQuiet: false,
    /** Whether nothing is to go wrong any more. */
    isCalm: false,
    fault: (kind) => (self.faults[kind] ??= { times: 0, met: 0, survived: 0 }),
    /** Resolves when so many requests more have been answered. */
    after: (count) => new Promise((resolve) => waiting.push({ at: self.figures.requests + count, resolve })),
    signerOf: (rule, texts) => signerOf(rule, texts, keys),
    /** A cookie that no key signed, to stand before or behind the good one. */
    forgery({ rule, random, jar }) {
      const [part] = READERS[rule].parts;
      const bad = `${part}=${tampered(jar.get(part) ?? "", 8)}`;
      return random() < 0.5 ? [bad] : ["theme=dark", bad];
    },
    /** Everything that is under way, or that begins until `end()` is called, may fail for this reason. */
    excuse(kind, numbers = requests.keys()) {
      const window = { kind };
      for (const number of numbers) if (requests.has(number)) requests.get(number).excuse ??= kind;
      excuses.add(window);
      return () => excuses.delete(window);
    },
    handedOver(number, slot) {
      const request = requests.get(number);
      slot.underWay.add(number);
      if (!request) return;
      Object.assign(request, { slot, version: slot.version });
      if (slot.isDown) request.excuse ??= KILLED;
      if (slot.version.config) slot.count(request.uses(slot.version));
    },
    ended: (number, slot) => slot.underWay.delete(number),
    faultOf: (number) => requests.get(number)?.fault,
    isRead: (number) => requests.get(number)?.isRead ?? false,
    /** What an origin was shown: each managed cookie must be by its own key, whoever sent it. */
    shown(number, cookie) {
      const version = requests.get(number)?.version;
      if (version && !version.config) return; // no Worker
      for (const { rule, texts } of managed(cookie)) {
        self.figures.shown += 1;
        const key = ORIGIN_KEYS[rule];
        const signer = texts && signerOf(rule, texts, { [key]: keys[key] });
        if (signer?.digest === READERS[rule].digests[0]) continue;
        self.figures.unverified += 1;
        const what = texts ? `a value of ${rule} that ${describe(self.signerOf(rule, texts))}` : `a look-alike of ${rule}`;
        self.tell("unverified", `request ${number}: an origin saw ${what}; ${version?.label}`);
      }
    },
    async send({ method, path, host, headers, cookie, uses = [], random, isRead, isAttack }, visitor) {
      const number = (last += 1);
      const isFaulty = random() < FAULT_SHARE && !isAttack && !self.isCalm;
      const fault = isFaulty ? KINDS[Math.floor(random() ** 2 * KINDS.length)] : undefined;
      const under = [...excuses].map(({ kind }) => kind)[0];
      const request = { fault, excuse: under, isRead, uses: typeof uses === "function" ? uses : () => uses };
      requests.set(number, request);
      const isPlanted = !isAttack && plants(visitor, isRead, self.live);
      const bytes = requestText({ method, path, host, headers, cookie, number: isPlanted ? `${number} planted` : number });
      const reply = await exchange(self.port, bytes, PATIENCE_MS).catch(broken);
      requests.delete(number);
      judge(Object.assign(reply, { number, request, isAttack }), visitor);
      wake();
      return reply;
    },
    isRight(visitor) {
      for (const kind of visitor.faults) self.fault(kind).survived += 1;
      visitor.faults.clear();
    },
    /** Something that must not be. */
    problem(what, visitor, reply, why) {
      self.figures[what] += 1;
      const { number, request } = reply;
      const jar = visitor.kind === undefined ? "an empty jar" : `a cookie that ${describe(visitor.kind)}`;
      const by = request.slot ? `process ${request.slot.at} with "${request.version.label}"` : "no process";
      const opened = visitor.kind && request.version ? `, which ${opens(request.version, visitor)}` : "";
      const fault = request.fault ? `; fault: ${request.fault}` : "";
      const who = `request ${number} of ${visitor.rule} ${visitor.name}, now with ${jar}`;
      self.tell(what, `${who}, to ${by}${opened}: ${why}${fault}`);
    },
    tell(what, text) {
      if (self.problems.length === MOST_PROBLEMS) return;
      self.problems.push(`${what}: ${text}; deployed: ${self.deployed().join(" | ")}`);
    },
    /** Something that must not be, and that no visitor meets. */
    finding(text) {
      self.figures.others += 1;
      self.tell("others", text);
    },
    /** Which versions there are, by process. */
    deployed: () => [],
  };

  function wake() {
    const due = waiting.filter(({ at }) => at <= self.figures.requests);
    for (const one of due) waiting.splice(waiting.indexOf(one), 1)[0].resolve();
  }

  /** Whether an answer may be as it is, whatever it says. */
  function judge(reply, visitor) {
    const { request, status } = reply;
    self.figures.requests += 1;
    if (new Set(self.deployed()).size > 1) self.figures.mixed += 1;
    self.figures.answers[status || "none"] = (self.figures.answers[status || "none"] ?? 0) + 1;
    reply.isWhole = (status === 200 || status === 302) && !reply.isBroken;
    if (request.fault) self.fault(request.fault).times += 1;
    const excuse = request.excuse ?? (FAULTS[request.fault]?.excuses ? request.fault : undefined);
    for (const kind of new Set([request.fault, reply.isWhole ? undefined : excuse])) {
      if (!kind || reply.isAttack || visitor.faults.has(kind)) continue;
      visitor.faults.add(kind);
      self.fault(kind).met += 1;
    }
    const isRefusal = reply.isAttack && status === 403;
    // 500 and 503 are the Worker's own, and nothing that an origin does may bring them about
    const isExcused = excuse && (reply.isBroken || status === 502);
    if (!reply.isWhole && !isRefusal && !isExcused) {
      const why = reply.isBroken ? `no whole answer (${reply.error})` : `status ${status}`;
      self.problem("unexplained", visitor, reply, why);
    }
    given(reply, visitor);
  }

  /** What a browser is given: each managed cookie must be by what the version seals with. */
  function given(reply, visitor) {
    const { version } = reply.request;
    const set = new Map();
    for (const text of reply.setCookies) {
      const { name, value, maxAge, expires } = parseSetCookie(text);
      const isGone = maxAge !== undefined ? maxAge <= 0 : expires <= Date.now();
      if (MANAGED.has(name) && !isGone && !/[\x00-\x1f]/.test(value)) set.set(name, value);
    }
    for (const rule of new Set([...set.keys()].map((name) => MANAGED.get(name)))) {
      self.figures.given += 1;
      const texts = READERS[rule].parts.map((part) => set.get(part));
      const signer = self.signerOf(rule, texts);
      const seals = version.rings[rule].seals;
      if (signer?.key === seals.key && signer.digest === seals.digest) continue;
      const due = `it seals under ${seals.key} (${seals.digest})`;
      self.problem("misgiven", visitor, reply, `a browser got a cookie that ${describe(signer)}; ${due}`);
    }
  }
  return self;
}

function requestText({ method, path, host, headers, cookie, number }) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, `X-Soak: ${number}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (cookie) lines.push(`Cookie: ${cookie}`);
  if (method === "POST") lines.push("Content-Length: 0");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The managed cookies of a header, `{rule, texts}` each; without texts it is a look-alike. */
function* managed(header) {
  const pairs = header.split(";").map((pair) => {
    const [name, ...rest] = pair.trim().split("=");
    return [name, rest.join("=")];
  });
  for (const [name, value] of pairs) {
    const rule = MANAGED.get(name);
    if (rule && name === READERS[rule].parts[0]) {
      const [, second] = READERS[rule].parts;
      const signature = second && pairs.find(([other]) => other === second)?.[1];
      yield { rule, texts: second ? [value, signature] : [value] };
    } else if (!rule && MANAGED.has(plain(name))) yield { rule: MANAGED.get(plain(name)) };
  }
}

/** A name as lenient servers read it. */
function plain(name) {
  const decoded = name.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return decoded.toLowerCase().replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
}

/** A text with another letter so far from its end. */
export function tampered(text, fromEnd) {
  const at = Math.max(0, text.length - fromEnd);
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

export const opensKind = (version, rule, { key, digest }) =>
  version.rings[rule].opens.some((one) => one.key === key && one.digest === digest);

const opens = (version, { rule, kind }) => (opensKind(version, rule, kind) ? "opens it" : "does not open it");
const describe = (signer) => (signer ? `${signer.key} signed (${signer.digest})` : "no key signed");

/** What came of an answer that broke off. */
function broken(error) {
  const setCookies = error.head ? headerValues(error.head, "set-cookie") : [];
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(error.head)?.[1] ?? 0);
  return { isBroken: true, status, setCookies, text: "", error: error.message };
}

export const KILLED = "workerd is killed";
// the first ones more often than the last one, which holds up every deployment
const KINDS = Object.keys(FAULTS);
const FAULT_SHARE = 0.01;
const MOST_PROBLEMS = 200;
const PATIENCE_MS = 120_000;
