// The processes of `npm start`: each in a group of its own, so that all it started ends with it and nothing else does.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, eachLine } from "../src/build/progress.mjs";
import { inRoot, root } from "../src/build/tools.mjs";

const PATIENCE_MS = 120_000;
const GRACE_MS = 8_000;
const running = new Set();

/** Starts the demo site; resolves with its address once it listens. */
export async function demoSite(python, keys, workerPort) {
  const env = {
    DJANGO_SECRET_KEY: keys.DJANGO_SECRET_KEY,
    DEMO_KEYS: JSON.stringify(keys),
    DEMO_FOLDER: inRoot(".tools/demo"),
    DEMO_WORKER_PORT: String(workerPort),
  };
  let listens;
  const port = new Promise((resolve) => (listens = resolve));
  const onLine = (line) => (line.startsWith('{"port":') ? listens(JSON.parse(line).port) : console.log(line));
  const site = start("the demo site", python, [inRoot("demo/site.py")], env, onLine);
  return `http://127.0.0.1:${await Promise.race([port, site.ended, late("the demo site")])}`;
}

/** Starts `wrangler dev` in front of `upstream`; resolves with the status of its first answer to `path`. */
export async function wranglerDev(upstream, port, path) {
  const { host, protocol } = new URL(upstream);
  const where = [
    "--ip=127.0.0.1",
    `--port=${port}`,
    `--local-upstream=${host}`,
    `--upstream-protocol=${protocol.slice(0, -1)}`,
  ];
  const args = [inRoot("node_modules/wrangler/bin/wrangler.js"), "dev", ...where];
  // CI=1: no keyboard shortcuts, no questions.
  const env = { CI: "1", WRANGLER_SEND_METRICS: "false" };
  const onLine = (line) => line.includes("[custom build]") || console.log(line);
  const wrangler = start("wrangler dev", process.execPath, args, env, onLine);
  return Promise.race([firstAnswer(`http://127.0.0.1:${port}${path}`), wrangler.ended, late("wrangler dev")]);
}

async function firstAnswer(url) {
  for (;;) {
    try {
      return (await fetch(url, { redirect: "manual" })).status;
    } catch {
      await sleep(200);
    }
  }
}

async function late(name) {
  await sleep(PATIENCE_MS, undefined, { ref: false });
  throw new Failure(`${name} did not answer within ${PATIENCE_MS / 1000} s`);
}

function start(name, command, args, env, onLine) {
  // Standard input stays open for as long as this process lives: the demo site ends when it closes.
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  eachLine(child.stdout, onLine);
  eachLine(child.stderr, onLine);
  child.ended = new Promise((_, reject) => {
    child.once("error", (error) => reject(new Failure(`${name} does not start: ${error.message}`)));
    child.once("close", (code, signal) => reject(new Failure(`${name} ended (${signal ?? code})`)));
  });
  child.ended.catch(() => running.delete(child));
  running.add(child);
  return child;
}

/** Rejects as soon as a server ends by itself. */
export const anEnd = () => Promise.race([...running].map((child) => child.ended));

/** Ends what was started, at first politely. */
export async function endAll() {
  const children = [...running];
  const ended = Promise.allSettled(children.map((child) => child.ended));
  for (const child of children) signal(child, "SIGTERM");
  if ((await Promise.race([ended, sleep(GRACE_MS, "late", { ref: false })])) === "late") {
    for (const child of children) signal(child, "SIGKILL");
  }
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
