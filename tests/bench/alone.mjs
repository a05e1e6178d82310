// The Workers alone: each called many times in one request, the origin stood in for. That leaves out the runtime's own
// work on connections, and so most of what varies; what remains is the garbage that V8 collects when it likes.
import { load, request } from "./load.mjs";
import { headers } from "./origin.mjs";
import { FILES } from "./runtime.mjs";
import { started, stopped, verifyAnswers } from "./workers.mjs";

/** How many rounds are made ahead, while what is used much is compiled anew. */
const WARM_UP = 4;

/** Answers what `measured` of workers.mjs does, without requests a second. */
export async function measuredAlone(cases, originPort, { times, rounds, progress }) {
  const running = await started(cases, originPort, { repeats: true });
  const workers = Object.keys(FILES);
  const results = new Map(cases.map((it) => [it, Object.fromEntries(workers.map((worker) => [worker, []]))]));
  for (let round = -WARM_UP; round < rounds; round += 1) {
    progress(`the Workers alone, round ${round + WARM_UP + 1} of ${rounds + WARM_UP}`);
    for (const it of cases) {
      for (let turn = 0; turn < workers.length; turn += 1) {
        const worker = workers[(round + WARM_UP + turn) % workers.length];
        const measured = await slot(it, worker, running[it.format][worker], times);
        if (round >= 0) results.get(it)[worker].push(measured);
      }
    }
  }
  await stopped(running);
  return results;
}

async function slot(it, worker, server, times) {
  const plan = JSON.stringify({ times, headers: headers(it.setCookies) });
  await fetch(`http://127.0.0.1:${server.port}/`, { method: "PUT", body: plan });
  const connection = await load(server.port, 1);
  const before = server.cpu();
  const { answers } = await connection.send(request(it.cookie), 1, it.varies);
  const cpu = server.cpu() - before;
  connection.stop();
  verifyAnswers(it, worker, answers.texts, server.log);
  return { cpu: cpu / times };
}
