// The Workers side by side: every case in turns, many short rounds, and no figure for a wrong answer.
import { Failure } from "../../src/build/progress.mjs";
import { CASES, FORMATS, countersignConfig, limitEdits, peerRule } from "./cases.mjs";
import { headerValues } from "./exchange.mjs";
import { load, request } from "./load.mjs";
import { FILES, prepared } from "./runtime.mjs";

/** How many requests a slot makes ahead, so that the connections on both sides of workerd are there. */
const READY = 64;

/** The bindings of a Worker for a format. */
export function bindings(worker, format) {
  const { STRANGER: _, ...secrets } = FORMATS[format].secrets;
  const others = {
    "pass-through": {},
    limit: { EDITS: { json: limitEdits(format) } },
    webcrypto: { ...secrets, RULE: { json: peerRule(format) } },
  };
  return others[worker] ?? { ...secrets, COUNTERSIGN: { json: countersignConfig(format) } };
}

/** Starts all of them for each format that a case of `cases` needs; `options` are those of `prepared`. */
export async function started(cases, originPort, options) {
  const running = {};
  for (const format of new Set(cases.map((it) => it.format))) {
    running[format] = {};
    for (const [worker, files] of Object.entries(FILES)) {
      const start = await prepared(files, bindings(worker, format), originPort, options);
      running[format][worker] = await start();
    }
  }
  return running;
}

export async function stopped(running) {
  for (const server of Object.values(running).flatMap((workers) => Object.values(workers))) await server.stop();
}

/**
 * Measures the cases until `rounds` are done or `seconds` are over: each case on each Worker in a round, the first
 * Worker another one in each. Answers, for each case and Worker, CPU in microseconds per request and requests a second.
 */
export async function measured(cases, running, origin, { rounds, requests, warmUp, seconds, progress }) {
  const workers = Object.keys(FILES);
  const results = new Map(cases.map((it) => [it, Object.fromEntries(workers.map((worker) => [worker, []]))]));
  for (const it of cases) for (const worker of workers) await slot(it, worker, running, origin, warmUp);
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < rounds && performance.now() < end; round += 1) {
    progress(`round ${round + 1} of ${rounds} at most`);
    for (const it of cases) {
      for (let turn = 0; turn < workers.length; turn += 1) {
        const worker = workers[(round + turn) % workers.length];
        results.get(it)[worker].push(await slot(it, worker, running, origin, requests));
      }
    }
  }
  return results;
}

async function slot(it, worker, running, origin, requests) {
  const server = running[it.format][worker];
  await origin.expect(it);
  // workerd closes connections that idle for five seconds: these are new, and made before the measurement
  const connections = await load(server.port);
  await connections.send(request(it.cookie), READY, it.varies);
  const before = server.cpu();
  const { seconds, answers } = await connections.send(request(it.cookie), requests, it.varies);
  const cpu = server.cpu() - before;
  connections.stop();
  verify(it, worker, answers, await origin.seen(), server.log);
  return { cpu: cpu / requests, perSecond: requests / seconds };
}

/** Refuses to go on unless all answers, and all that the origin was sent, are what they should be. */
function verify(it, worker, answers, sent, log) {
  verifyAnswers(it, worker, answers.texts, log);
  const { same, read, toOrigin, expected } = comparison(it, worker, log);
  for (const text of sent.texts) {
    const cookies = headerValues(text, "cookie");
    same("sends the origin other cookies", read([expected.cookie], toOrigin), read(cookies, toOrigin));
  }
  same("gives answers unlike each other", 0, answers.others);
  same("sends the origin requests unlike each other", `0 of ${answers.seen + READY}`, `${sent.others} of ${sent.seen}`);
}

/** Refuses to go on unless answers are what they should be. */
export function verifyAnswers(it, worker, texts, log) {
  const { same, read, toBrowser, expected } = comparison(it, worker, log);
  for (const text of texts) {
    same("answers with another status", "HTTP/1.1 200 OK", text.split("\r\n", 1)[0]);
    const cookies = headerValues(text, "set-cookie");
    same("sets other cookies", read(expected.setCookies, toBrowser), read(cookies, toBrowser));
    const isPrivate = headerValues(text, "cache-control").includes("private");
    same("answers with another Cache-Control", expected.isPrivate, isPrivate);
  }
}

/** How what a Worker makes of a case is read and compared. */
function comparison(it, worker, log) {
  const passes = worker === "pass-through";
  const [toOrigin, toBrowser] = passes ? ["CURRENT_KEY", "ORIGIN_KEY"] : ["ORIGIN_KEY", "CURRENT_KEY"];
  // an upgrade's Max-Age is what is left of it
  const untimed = (text) => (it.upgraded ? text.replace(/Max-Age=\d{7}/, "Max-Age=") : text);
  return {
    expected: passes ? { ...it, isPrivate: false } : it.expected,
    toOrigin,
    toBrowser,
    read: (lines, key) => lines.map((line) => FORMATS[it.format].read(untimed(line), key)).join("\n"),
    same(what, wanted, found) {
      if (wanted === found) return;
      const logged = log.length ? `\nit logged:\n${log.slice(-5).join("\n")}` : "";
      throw new Failure(`${it.name}: ${worker} ${what}\nexpected ${wanted}\nfound    ${found}${logged}`);
    },
  };
}
