// The Workers alone: each called many times in one request, the origin stood in for. Without the runtime's own work on
// connections, which varies by more than that, the difference between two cases is what a Worker itself takes for it.
import { load, request } from "./load.mjs";
import { headers } from "./origin.mjs";
import { FILES, prepared } from "./runtime.mjs";
import { bindings, verifyAnswers, WORKERS } from "./workers.mjs";

/** How many slots are made ahead, while what is used much is compiled anew. */
const WARM_UP = 4;

/** Answers, for each case and Worker, what `measured` does, without requests a second. */
export async function measuredAlone(cases, originPort, { times, rounds, progress }) {
  const results = new Map();
  for (const it of cases) {
    progress(`${it.name}: the Workers alone`);
    results.set(it, await oneCase(it, originPort, times, rounds));
  }
  return results;
}

async function oneCase(it, originPort, times, rounds) {
  const servers = {};
  for (const worker of WORKERS) {
    const start = await prepared(FILES[worker], bindings(it.format)[worker], originPort, { repeats: true });
    servers[worker] = await start();
    const plan = JSON.stringify({ times, headers: headers(it.setCookies) });
    await fetch(`http://127.0.0.1:${servers[worker].port}/`, { method: "PUT", body: plan });
    for (let time = 0; time < WARM_UP; time += 1) await slot(it, worker, servers[worker], times);
  }
  const slots = Object.fromEntries(WORKERS.map((worker) => [worker, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const worker of WORKERS) slots[worker].push(await slot(it, worker, servers[worker], times));
  }
  for (const server of Object.values(servers)) await server.stop();
  return slots;
}

async function slot(it, worker, server, times) {
  const connection = await load(server.port, 1);
  const before = server.cpu();
  const { answers } = await connection.send(request(it.cookie), 1, it.varies);
  const cpu = server.cpu() - before;
  connection.stop();
  verifyAnswers(it, worker, answers.texts, server.log);
  return { cpu: cpu / times };
}
