// Helper processes of the tests: lines in, lines out.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import fs from "node:fs/promises";
import os from "node:os";
import { fileURLToPath } from "node:url";
import path from "node:path";

/** Calls `each` with every full line of a stream. */
export function eachLine(stream, each) {
  let held = "";
  stream.setEncoding("utf8").on("data", (text) => {
    const lines = (held + text).split("\n");
    held = lines.pop();
    lines.forEach(each);
  });
}

/** Starts a process that does not outlive this one, whatever becomes of the hooks that end it. */
export function start(command, args, options) {
  const child = spawn(command, args, options);
  atExit.push(() => child.kill("SIGKILL"));
  return child;
}

/** A folder for the length of the test run. */
export async function temporaryFolder() {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "countersign-e2e-"));
  atExit.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a script of origins/ in one of the tests' Python environments; what it says on stderr shows when it fails to start. */
export function python(venv, script, env) {
  const interpreter = path.join(PROJECT, ".tools", venv, "bin", "python");
  const child = start(interpreter, [path.join(ORIGINS, script)], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (child.errors += text));
  return child;
}

/** Lets the tests end while this process still runs: the hooks that end it are only called then. */
export function setAside(child, aside = true) {
  for (const handle of [child, ...child.stdio.filter(Boolean)]) aside ? handle.unref() : handle.ref();
}

/** The first line that a process prints. */
export function firstLine(child) {
  return new Promise((resolve, reject) => {
    eachLine(child.stdout, resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`it ended with ${code}:\n${child.errors}`)));
  });
}

export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  setAside(child, false);
  child.kill("SIGKILL");
  await once(child, "close");
}

const atExit = [];
process.on("exit", () => atExit.forEach((clean) => clean()));
// a signal alone ends a process without its exit event
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const ORIGINS = fileURLToPath(new URL("../origins", import.meta.url));
const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
