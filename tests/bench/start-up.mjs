// What a cold isolate costs, and what a warm one keeps.
import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { ACCOUNT, collected } from "../e2e/harness/repeating.mjs";
import { CASES } from "./cases.mjs";
import { load, request } from "./load.mjs";
import { FILES, prepared } from "./runtime.mjs";
import { bindings } from "./workers.mjs";

/** All but the limit, which is no Worker that anyone would deploy. */
const sides = () => Object.keys(FILES).filter((worker) => worker !== "limit");
const it = CASES.find(({ id }) => id === "both-ways");

/** For each Worker bytes gzipped, and of `times` cold starts the milliseconds and CPU to the first answer. */
export async function coldStarts(origin, times, progress) {
  await origin.expect(it);
  const cold = [];
  for (const worker of sides()) {
    const start = await prepared(FILES[worker], bindings(worker, it.format), origin.port);
    cold.push({ worker, start, gzipped: gzipped(FILES[worker]), milliseconds: [], cpu: [] });
  }
  for (let turn = 0; turn < times; turn += 1) {
    progress(`cold start ${turn + 1} of ${times}`);
    for (const side of cold) {
      const began = performance.now();
      const server = await side.start();
      const connection = await load(server.port, 1);
      const { answers } = await connection.send(request(it.cookie), 1, false);
      side.milliseconds.push(performance.now() - began);
      side.cpu.push(server.cpu() / 1000);
      connection.stop();
      await server.stop();
      if (!answers.texts[0].startsWith("HTTP/1.1 200")) throw new Error(`${side.worker}: ${answers.texts[0]}`);
    }
  }
  return cold;
}

/** For each Worker the private memory in MiB after so many requests, at each of `marks`. */
export function memory(origin, marks, progress) {
  return atMarks(origin, marks, progress, {}, (server) => server.memory() / 1024);
}

/** What lives on of it after a forced collection, in KiB: `{heap, wasm}`. */
export function living(origin, marks, progress) {
  return atMarks(origin, marks, progress, { repeats: true, v8Flags: ACCOUNT }, (server) => {
    const ask = async (method) => (await fetch(`http://127.0.0.1:${server.port}/`, { method })).text();
    return collected(ask, () => server.log);
  });
}

async function atMarks(origin, marks, progress, options, measure) {
  await origin.expect(it);
  const marked = [];
  for (const worker of sides()) {
    const start = await prepared(FILES[worker], bindings(worker, it.format), origin.port, options);
    const server = await start();
    const values = [];
    let made = 0;
    for (const mark of marks) {
      progress(`memory of ${worker}: ${mark} requests`);
      const connections = await load(server.port);
      await connections.send(request(it.cookie), mark - made, false);
      connections.stop();
      made = mark;
      values.push(await measure(server));
    }
    await server.stop();
    marked.push({ worker, values });
  }
  return marked;
}

function gzipped({ folder, names }) {
  return gzipSync(Buffer.concat(names.map((name) => readFileSync(path.join(folder, name)))), { level: 9 }).length;
}
