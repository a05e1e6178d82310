// The processes of `npm start`: each in a group of its own, so that all it started ends with it and nothing else does.
import { execFile, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Failure, asked, eachLine } from "../src/build/progress.mjs";
import { inRoot, root } from "../src/build/tools.mjs";

const PATIENCE_MS = 120_000;
const GRACE_MS = 8_000;
const running = new Set();

/**
 * Starts the demo site; resolves with `{url, tell}` once it listens. `tell` gives it the secrets of the ring anew, with
 * which it says which key signed a cookie.
 */
export async function demoSite({ python, secrets, work, port, control, onLine }) {
  const env = {
    ...siteVariables(secrets, work),
    DEMO_WORKER_PORT: String(port),
    DEMO_CONTROL: JSON.stringify({ url: control.url, token: control.token }),
  };
  let listens;
  const announced = new Promise((resolve) => (listens = resolve));
  const onSiteLine = (line) => (line.startsWith('{"port":') ? listens(JSON.parse(line).port) : onLine(line));
  const site = start("the demo site", python, [SITE], env, onSiteLine);
  const tell = (keys) => site.stdin.write(`${JSON.stringify(keys)}\n`);
  tell(secrets);
  return { url: `http://127.0.0.1:${await Promise.race([announced, site.ended, late("the demo site")])}`, tell };
}

/** A login of the demo's user that nobody typed: made with the site's own key, outside of the site. */
export async function forgedSession({ python, secrets, work }) {
  const env = { ...process.env, ...siteVariables(secrets, work) };
  const { stdout } = await promisify(execFile)(python, [SITE, "forge"], { env });
  return stdout.trim();
}

const SITE = inRoot("demo/site.py");
const siteVariables = (secrets, work) => ({ DJANGO_SECRET_KEY: secrets.DJANGO_SECRET_KEY, DEMO_FOLDER: work });

/** Starts `wrangler dev` in front of `upstream`; resolves with the status of its first answer to `path`. */
export async function wranglerDev({ script, configuration, upstream, port, path, onLine }) {
  const { host, protocol } = new URL(upstream);
  const where = [
    `--config=${configuration}`,
    "--ip=127.0.0.1",
    `--port=${port}`,
    `--local-upstream=${host}`,
    `--upstream-protocol=${protocol.slice(0, -1)}`,
  ];
  const args = [inRoot("node_modules/wrangler/bin/wrangler.js"), "dev", script, ...where];
  // CI=1: no keyboard shortcuts, no questions.
  const env = { CI: "1", WRANGLER_SEND_METRICS: "false" };
  // The demo asks for the status after each save, which is no news.
  const onWranglerLine = (line) => line.includes("/.well-known/countersign") || onLine(line);
  const wrangler = start("wrangler dev", process.execPath, args, env, onWranglerLine);
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

/** Starts the dashboard beside the Worker at `url`, where this release has one; resolves with its address, else null. */
export async function dashboard({ cli, url, folder }) {
  if ((await asked(cli, ["help", "dashboard"])) === null) return null;
  const args = ["dashboard", "--no-open", "--port", "0", "--url", url, "--config", `${folder}/wrangler.toml`];
  let announce;
  const announced = new Promise((resolve) => (announce = resolve));
  const onLine = (line) => announce(/https?:\/\/\S+/.exec(line)?.[0]);
  const child = start("countersign dashboard", cli, args, {}, onLine);
  // It is beside the point: the demo goes on where it does not start.
  return Promise.race([announced, child.ended.catch(() => null), sleep(10_000, null, { ref: false })]);
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
