// Runs the long steps of the scripts so that none is silent and none fails without saying why.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

const FIRST_SIGN_OF_LIFE_MS = 2_000;
const SIGN_OF_LIFE_MS = 10_000;
const LINES_OF_A_FAILURE = 80;

/** A failure that the reader can act on: `hint` is the command or the step that cures it. */
export class Failure extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** Runs a script's `work`; a Failure ends the process with its message and cure, and exit code 1. */
export async function run(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure) && !error.code?.startsWith("ERR_PARSE_ARGS")) throw error;
    console.error(`error: ${error.message}`);
    if (error.hint) console.error(`hint: ${error.hint}`);
    process.exitCode = 1;
  }
}

/** Runs a command as a step that shows its seconds and the child's last line; a Failure shows what it printed. */
export async function step(label, command, args, { cwd, env } = {}) {
  const progress = showing(label);
  const output = [];
  const code = await spawned(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] }, (line) => {
    output.push(line);
    progress.line = line;
  });
  progress.end(code === 0);
  if (code === 0) return;
  console.error(output.slice(-LINES_OF_A_FAILURE).join("\n"));
  throw new Failure(`${label}: \`${[command, ...args].join(" ")}\` failed (${code})`, cureFor(output));
}

/** Runs a command whose own output is the news; resolves with its exit code. */
export async function shown(command, args, { cwd, env } = {}) {
  return spawned(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
}

/** Ends as a command does that has this process's streams, and that ends when the parent of this process has. */
export async function becomes(command, args, env = {}) {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const ended = once(child, "close");
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  for (const ofTheTerminal of ["SIGINT", "SIGHUP"]) process.on(ofTheTerminal, () => {}); // it gets them by itself
  orphaned().then(() => child.kill("SIGTERM"));
  const [code, signal] = await ended;
  process.exitCode = code ?? 128 + constants.signals[signal];
}

const PARENT = process.ppid;

// npm passes a SIGTERM on to the shell between it and a script, and the shell keeps it to itself.
/** Resolves when the parent of this process has ended. */
export function orphaned() {
  return new Promise((resolve) => {
    const watch = setInterval(() => process.ppid !== PARENT && resolve(clearInterval(watch)), 500).unref();
  });
}

/** What a command prints on standard output, or null where it is missing or fails. */
export async function asked(command, args, { cwd } = {}) {
  const lines = [];
  const stdio = ["ignore", "pipe", "ignore"];
  const code = await spawned(command, args, { cwd, stdio }, (line) => lines.push(line));
  return code === 0 ? lines.join("\n") : null;
}

/** Runs a command and answers its exit code, or why there is none, and all that it printed. */
export async function outcome(command, args, { cwd, env } = {}) {
  const lines = [];
  const stdio = ["ignore", "pipe", "pipe"];
  const code = await spawned(command, args, { cwd, env, stdio }, (line) => lines.push(line));
  return { code, text: lines.join("\n") };
}

function spawned(command, args, options, onLine) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, env: { ...process.env, ...options.env } });
    child.once("error", (error) => resolve(error.code));
    child.once("close", (code, signal) => resolve(signal ?? code));
    for (const stream of [child.stdout, child.stderr]) if (stream) eachLine(stream, onLine);
  });
}

/** Calls `onLine` for each line of a stream that is not blank. */
export function eachLine(stream, onLine) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text) => {
    const lines = (rest + text).split(/\r?\n|\r/);
    rest = lines.pop();
    for (const line of lines) if (line.trim()) onLine(line);
  });
  stream.on("end", () => rest.trim() && onLine(rest));
}

function showing(label) {
  const began = Date.now();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(Date.now() - began < 9_950 ? 1 : 0)} s`;
  const progress = { line: "" };
  const say = process.stdout.isTTY ? onOneLine : (text) => console.log(text);
  const sign = () => say(`· ${label}, ${seconds()}  ${progress.line.trim()}`);
  let timer = setTimeout(() => {
    sign();
    timer = setInterval(sign, process.stdout.isTTY ? 500 : SIGN_OF_LIFE_MS);
  }, FIRST_SIGN_OF_LIFE_MS);
  progress.end = (good) => {
    clearInterval(timer);
    say(`${good ? "✓" : "✗"} ${label}, ${seconds()}`);
    if (process.stdout.isTTY) console.log();
  };
  return progress;
}

function onOneLine(text) {
  process.stdout.write(`\r\x1b[2K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
}

function cureFor(output) {
  const text = output.join("\n");
  if (/linker `\S+` not found/.test(text))
    return "a C linker is missing: apt-get install build-essential (macOS: xcode-select --install)";
  if (/No space left on device/i.test(text)) return "the disk is full";
  return undefined;
}
