// Starts the real workerd with a Worker in it, on a free port, and gathers what the Worker logs.
import fs from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import workerd from "workerd";
import { MAIN, workerdConfig } from "./capnp.mjs";
import { atThisClock, realClock } from "./clock.mjs";
import { assertNoLeak, sensitive } from "./leaks.mjs";
import { eachLine, end, setAside, start, temporaryFolder } from "./processes.mjs";

/**
 * Runs the built Worker in front of `origin` (anything with a `port`).
 * `config` becomes the variable COUNTERSIGN, `secrets` are text bindings, `bindings` are others (see capnp.mjs);
 * `v8Flags` are for the engine; `beside` are further Workers, `{name: {build, config, secrets, bindings}}`, each with its
 * port in `ports`; `shift` are seconds that the Workers' clock is ahead.
 * Stops after the test, and fails it if a key or a cookie value was logged.
 */
export function worker(t, { origin, build = BUILD, v8Flags = [], beside = {}, ...version }) {
  return run(t, { origin, build, v8Flags, beside, version });
}

/** The same runtime with a Worker that does nothing: what the runtime itself makes of the traffic. */
export async function passThrough(t, { origin }) {
  const build = temporaryFolder();
  await fs.writeFile(path.join(build, "index.js"), "export default { fetch: (request) => fetch(request) };");
  return run(t, { origin, build, version: {} });
}

async function run(t, { origin, build, v8Flags, beside = {}, version }) {
  const folder = temporaryFolder();
  const ledger = temporaryFolder();
  const log = [];
  let child;

  const running = {
    port: 0,
    /** Those of all Workers by name. */
    ports: {},
    pid: 0,
    get url() {
      return `http://127.0.0.1:${running.port}`;
    },
    /** What the Worker wrote on the console so far: `{level, message}` each. */
    logs: () => log,
    logText: () => log.map(({ message }) => message).join("\n"),
    /** The reports so far, parsed; waits until there are `count` of them. */
    async reports(count = 0) {
      const reports = () => log.map(({ message }) => asReport(message)).filter(Boolean);
      await until(
        () => reports().length >= count,
        () => `${count} reports, but it logged:\n${running.logText()}`,
      );
      return reports();
    },
    /** Waits for a text in the log. */
    logged: (pattern) =>
      until(
        () => pattern.test(running.logText()),
        () => `${pattern} in:\n${running.logText()}`,
      ),
    /** Runs on as a new version of the Worker, `{config, secrets, bindings, shift}`. */
    async restart(version) {
      await end(child);
      await begin(version);
    },
    async stop() {
      if (child) await end(child);
      assertNoLeak(running.logText());
    },
  };

  async function begin(version) {
    const others = Object.entries(beside).map(async ([name, { build = BUILD, ...other }]) => {
      const own = path.join(folder, name);
      await fs.mkdir(own, { recursive: true });
      const modules = await atThisClock(await copyModules(build, own), own, version.shift);
      return { name, modules, bindings: bindingsOf(other) };
    });
    const modules = await atThisClock(await copyModules(build, folder), folder, version.shift);
    const bindings = bindingsOf(version);
    const file = path.join(folder, "worker.capnp");
    const compatibility = await wranglerCompatibility();
    const originPort = origin.port;
    const hasLedger = Object.values(bindings).some((binding) => binding.ledger);
    const whole = { modules, compatibility, bindings, originPort, v8Flags, beside: await Promise.all(others) };
    await fs.writeFile(file, workerdConfig({ ...whole, ...(hasLedger && { ledger }) }));
    child = start(workerd.default, ["serve", "--experimental", "--control-fd=3", file], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: realClock(process.env),
    });
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => log.push(asMessage(line)));
    const names = [MAIN, ...Object.keys(beside)];
    running.ports = await listeningPorts(child, names, () => running.logText());
    running.port = running.ports[MAIN];
    running.pid = child.pid;
    setAside(child);
  }
  t.after(running.stop);
  await begin(version);
  return running;
}

function bindingsOf({ config, secrets = {}, bindings = {} }) {
  Object.values(secrets).forEach(sensitive);
  return { ...secrets, ...bindings, ...(config !== undefined && { COUNTERSIGN: { json: config } }) };
}

function asReport(message) {
  const report = message.startsWith("{") ? JSON.parse(message) : {};
  return report.source === "countersign" ? report : null;
}

async function until(holds, expected) {
  for (const end = Date.now() + 3000; !holds();) {
    if (Date.now() > end) throw new Error(`waited in vain for ${expected()}`);
    await setTimeout(5);
  }
}

function asMessage(line) {
  try {
    const { level, message } = JSON.parse(line);
    return { level, message };
  } catch {
    return { level: "raw", message: line };
  }
}

function listeningPorts(child, names, logText) {
  return new Promise((resolve, reject) => {
    const ports = {};
    eachLine(child.stdio[3], (line) => {
      const { socket, port } = JSON.parse(line);
      ports[socket] = port;
      if (names.every((name) => name in ports)) resolve(ports);
    });
    child.once("close", (code) => reject(new Error(`workerd ended with ${code}:\n${logText()}`)));
  });
}

async function copyModules(build, folder) {
  const names = (await fs.readdir(build)).filter((name) => /\.(js|wasm)$/.test(name));
  await Promise.all(names.map((name) => fs.copyFile(path.join(build, name), path.join(folder, name))));
  return ["index.js", ...names.filter((name) => name !== "index.js")];
}

/** The runtime's version of behaviour is the one that the deployed Worker has. */
async function wranglerCompatibility() {
  const toml = await fs.readFile(path.join(PROJECT, "wrangler.toml"), "utf8");
  const [, date] = /^compatibility_date *= *"([^"]+)"/m.exec(toml);
  const [, list = ""] = /^compatibility_flags *= *\[([^\]]*)\]/m.exec(toml) ?? [];
  return { date, flags: [...list.matchAll(/"([^"]+)"/g)].map(([, flag]) => flag) };
}

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const BUILD = path.join(PROJECT, "build");
