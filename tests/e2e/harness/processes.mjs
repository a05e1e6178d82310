// Helper processes of the tests: lines in, lines out.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
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
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "countersign-e2e-"));
  atExit.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a program with further variables in its environment; what it says on stderr shows when it fails to start. */
export function program([command, ...args], env = {}, options = {}) {
  const child = start(command, args, { ...options, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  child.errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (child.errors += text));
  return child;
}

/** Runs a script of origins/ in one of the tests' Python environments. */
export function python(venv, script, env) {
  return program([interpreter(venv), path.join(ORIGINS, script)], env);
}

/** The Python of one of the tests' environments. */
export const interpreter = (venv) => path.join(PROJECT, ".tools", venv, "bin", "python");

/** The site that a program serves: `{port, version, stop}`. Its first line says its version and address. */
export async function served(t, child) {
  const stop = () => end(child);
  t.after(stop);
  const line = await firstLine(child);
  const [, version, port] = /(\d+\.[\w.]+).* \(?http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
  if (!port) throw new Error(`it announces no version and address: ${line}`);
  setAside(child);
  return { port: Number(port), version, stop };
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
