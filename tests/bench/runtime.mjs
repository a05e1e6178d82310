// The standalone workerd with one Worker in it, and what it costs the machine.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import workerd from "workerd";
import { workerdConfig } from "../e2e/harness/capnp.mjs";
import { eachLine, end, start, temporaryFolder } from "../e2e/harness/processes.mjs";
import { repeating } from "../e2e/harness/repeating.mjs";
import { inRoot } from "../../src/build/tools.mjs";

const WORKERS = fileURLToPath(new URL("workers", import.meta.url));

const BUILT = ["index.js", "countersign_bg.wasm"];

/** Each Worker: its files, the entry first; in the order in which they are shown. */
export const FILES = {
  "pass-through": { folder: WORKERS, names: ["pass-through.js"] },
  limit: { folder: WORKERS, names: ["limit.js"] },
  webcrypto: {
    folder: path.join(WORKERS, "webcrypto"),
    names: ["index.js", "django.js", "fernet.js", "base64url.js"],
  },
  countersign: { folder: inRoot("build"), names: BUILT },
};

/** Measures another build of Countersign as well, called by the name of its folder. */
export function addBuild(folder) {
  FILES[path.basename(folder)] = { folder: path.resolve(folder), names: BUILT };
}

/**
 * Writes down how workerd serves a Worker; what comes back starts it, as often as is wanted. With `repeats` the Worker
 * is called by `repeating.js`; `v8Flags` are for the engine.
 */
export async function prepared({ folder, names }, bindings, originPort, { repeats = false, v8Flags = [] } = {}) {
  const place = await temporaryFolder();
  const own = Object.fromEntries(names.map((name) => [name, path.join(folder, name)]));
  const modules = repeats ? repeating(own) : own;
  for (const [name, from] of Object.entries(modules)) fs.copyFileSync(from, path.join(place, name));
  const file = path.join(place, "worker.capnp");
  const about = { compatibility: compatibility(), bindings, originPort, v8Flags };
  fs.writeFileSync(file, workerdConfig({ modules: Object.keys(modules), ...about }));
  return () => started(file);
}

async function started(file) {
  const stdio = ["ignore", "pipe", "pipe", "pipe"];
  const child = start(workerd.default, ["serve", "--experimental", "--control-fd=3", file], { stdio });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => log.push(line));
  const port = await new Promise((resolve, reject) => {
    eachLine(child.stdio[3], (line) => resolve(JSON.parse(line).port));
    child.once("close", (code) => reject(new Error(`workerd ended with ${code}:\n${log.join("\n")}`)));
  });
  return {
    port,
    log,
    cpu: () => cpuMicroseconds(child.pid),
    memory: () => residentKib(child.pid),
    stop: () => end(child),
  };
}

/** The behaviour of the runtime that the deployed Worker has. */
function compatibility() {
  const toml = fs.readFileSync(inRoot("wrangler.toml"), "utf8");
  return { date: /^compatibility_date *= *"([^"]+)"/m.exec(toml)[1], flags: [] };
}

/**
 * CPU time of a process so far, all its threads together. The scheduler's own account counts nanoseconds; where the
 * kernel keeps none, utime and stime count hundredths of a second.
 */
function cpuMicroseconds(pid) {
  try {
    const tasks = fs.readdirSync(`/proc/${pid}/task`);
    const spent = (task) => Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    return tasks.reduce((sum, task) => sum + spent(task), 0) / 1000;
  } catch {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000; // proc(5): fields 14 and 15, 100 ticks a second
  }
}

/** Memory of a process that is in RAM, without what other processes share, in KiB. */
function residentKib(pid) {
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (name) => Number(new RegExp(`^${name}: *(\\d+)`, "m").exec(rollup)[1]);
  return field("Private_Clean") + field("Private_Dirty");
}
