// The four Workers side by side: every case in turns, many short rounds, and no figure for a wrong answer.
import { Failure } from "../../src/worker/progress.mjs";
import { CASES, FORMATS, countersignConfig, limitEdits, peerRule } from "./cases.mjs";
import { headerValues } from "./exchange.mjs";
import { load, request } from "./load.mjs";
import { FILES, prepared } from "./runtime.mjs";

/** In the order in which they are shown. */
export const WORKERS = ["pass-through", "limit", "webcrypto", "countersign"];

/** The bindings of each Worker for a format. */
export function bindings(format) {
  const { STRANGER: _, ...secrets } = FORMATS[format].secrets;
  return {
    "pass-through": {},
    limit: { EDITS: { json: limitEdits(format) } },
    webcrypto: { ...secrets, RULE: { json: peerRule(format) } },
    countersign: { ...secrets, COUNTERSIGN: { json: countersignConfig(format) } },
  };
}

/** Starts the four for each format that a case of `cases` needs. */
export async function started(cases, origin) {
  const running = {};
  for (const format of new Set(cases.map((it) => it.format))) {
    running[format] = {};
    for (const worker of WORKERS) {
      const start = await prepared(FILES[worker], bindings(format)[worker], origin.port);
      const server = await start();
      running[format][worker] = { ...server, load: await load(server.port) };
    }
  }
  return running;
}

export async function stopped(running) {
  for (const server of Object.values(running).flatMap((workers) => Object.values(workers))) {
    server.load.stop();
    await server.stop();
  }
}

/**
 * Measures the cases until `rounds` are done or `seconds` are over: each case on each Worker in a round, the first
 * Worker another one in each. Answers, for each case and Worker, CPU in microseconds per request and requests a second.
 */
export async function measured(cases, running, origin, { rounds, requests, warmUp, seconds, progress }) {
  const results = new Map(cases.map((it) => [it, Object.fromEntries(WORKERS.map((worker) => [worker, []]))]));
  for (const it of cases) for (const worker of WORKERS) await slot(it, worker, running, origin, warmUp);
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < rounds && performance.now() < end; round += 1) {
    progress(`round ${round + 1} of ${rounds} at most`);
    for (const it of cases) {
      for (let turn = 0; turn < WORKERS.length; turn += 1) {
        const worker = WORKERS[(round + turn) % WORKERS.length];
        results.get(it)[worker].push(await slot(it, worker, running, origin, requests));
      }
    }
  }
  return results;
}

async function slot(it, worker, running, origin, requests) {
  const server = running[it.format][worker];
  await origin.expect(it);
  const before = server.cpu();
  const { seconds, answers } = await server.load.send(request(it.cookie), requests, it.varies);
  const cpu = server.cpu() - before;
  verify(it, worker, requests, answers, await origin.seen(), server.log);
  return { cpu: cpu / requests, perSecond: requests / seconds };
}

/** Refuses to go on unless all answers, and all that the origin was sent, are what they should be. */
function verify(it, worker, requests, answers, sent, log) {
  const { cookie, setCookies, isPrivate } =
    worker === "pass-through" ? { cookie: it.cookie, setCookies: it.setCookies, isPrivate: false } : it.expected;
  const { read } = FORMATS[it.format];
  const untimed = (text) => (it.upgraded ? text.replace(/Max-Age=\d{7}/, "Max-Age=") : text);
  const refuse = (what, expected, found) => {
    const told = log.length ? `\nit logged:\n${log.slice(-5).join("\n")}` : "";
    throw new Failure(`${it.name}: ${worker} ${what}\nexpected ${expected}\nfound    ${found}${told}`);
  };
  const same = (what, expected, found) => expected === found || refuse(what, expected, found);
  for (const text of answers.texts) {
    same("answers with another status", "HTTP/1.1 200 OK", text.split("\r\n", 1)[0]);
    const found = headerValues(text, "set-cookie").map((line) => read(untimed(line), "CURRENT_KEY"));
    const expected = setCookies.map((line) => read(untimed(line), worker === "pass-through" ? "ORIGIN_KEY" : "CURRENT_KEY"));
    same("sets other cookies", expected.join("\n"), found.map((line) => worker === "pass-through" ? read(line, "ORIGIN_KEY") : line).join("\n"));
    same("answers with another Cache-Control", isPrivate ? "private" : "", headerValues(text, "cache-control").join(", "));
  }
  for (const text of sent.texts) {
    const side = worker === "pass-through" ? "CURRENT_KEY" : "ORIGIN_KEY";
    same("sends the origin other cookies", read(cookie, side), read(headerValues(text, "cookie").join("\n"), side));
  }
  same("gives answers unlike each other", `0 of ${requests}`, `${answers.others} of ${answers.seen}`);
  same("sends the origin requests unlike each other", `0 of ${requests}`, `${sent.others} of ${sent.seen}`);
}
