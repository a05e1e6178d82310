// Runs the Worker on this machine, in front of the demo site or of a site of your own (`npm start -- --help`).
import { once } from "node:events";
import net from "node:net";
import { parseArgs } from "node:util";
import { Failure, orphaned, run, shown } from "../src/build/progress.mjs";
import { inRoot, node, npmPackages, python, root, rust, venv } from "../src/build/tools.mjs";
import { localSecrets } from "./secrets.mjs";
import { anEnd, demoSite, endAll, wranglerDev } from "./servers.mjs";

const HELP = `npm start [-- --origin URL] [-- --port PORT]

Builds the Worker and runs it on this machine, in front of a small Django site.

  --origin URL   put it in front of a site of your own instead, e.g. http://127.0.0.1:8000
  --port PORT    where it listens on 127.0.0.1 (8787)
  --help         this text

A key that you add to wrangler.toml gets a random secret in .dev.vars at the next start.`;

run(async () => {
  const { help, origin, port } = options();
  if (help) return console.log(HELP);
  const environment = await prepared(origin, port);
  await Promise.race([interrupted(), serve(origin, port, environment)]).finally(endAll);
});

function options() {
  const known = { origin: { type: "string" }, port: { type: "string", default: "8787" }, help: { type: "boolean" } };
  try {
    const { help, origin, port } = parseArgs({ options: known }).values;
    return { help, origin: origin && addressOf(origin), port: portOf(port) };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(error.message, "npm start -- --help");
  }
}

function addressOf(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search) return url.origin;
  throw new Failure(
    "--origin takes the address of a site, without a path",
    "npm start -- --origin http://127.0.0.1:8000",
  );
}

function portOf(text) {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Failure("--port takes a number from 1 to 65535", "npm start -- --port 8788");
}

/** Asks for everything that may be missing before the first long step; resolves with the demo's Python. */
async function prepared(origin, port) {
  node();
  await rust();
  if (!origin) await python();
  await free(port);
  await npmPackages();
  const environment = origin ? null : await venv("demo", inRoot("demo/requirements.txt"));
  const code = await shown(process.execPath, [inRoot("src/build/build.mjs"), "--features", "local"], { cwd: root });
  if (code !== 0) throw new Failure("the Worker was not built");
  return environment;
}

async function free(port) {
  const probe = net.createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (error) {
    throw new Failure(
      `port ${port} of 127.0.0.1 cannot be used: ${error.code}`,
      `npm start -- --port ${port === 65535 ? 8787 : port + 1}`,
    );
  }
  probe.close();
  await once(probe, "close");
}

async function serve(origin, port, environment) {
  const secrets = localSecrets();
  const upstream = origin ?? (await demoSite(environment, secrets, port));
  const status = await wranglerDev(upstream, port, origin ? "/" : "/keys");
  console.log(`\n${origin ? inFrontOf(origin, port) : tour(upstream, port)}\n`);
  if (status === 503) console.log("It answers 503: its log names what is wrong with the configuration.\n");
  if (status === 502) console.log(`It answers 502: nothing answers at ${upstream} yet.\n`);
  await anEnd();
}

function interrupted() {
  return Promise.race([orphaned(), ...["SIGINT", "SIGTERM", "SIGHUP"].map((name) => once(process, name))]);
}

const tour = (site, port) => `Countersign runs in front of a Django site: open

    http://127.0.0.1:${port}/        (the site itself, without Countersign, is ${site}/)

and try:
  1. Log in, add a message, change the theme. The table shows which key signed your browser's cookies, and which the site's.
  2. Rotate: in wrangler.toml, edit one line to
         current   = "KEY_2026_11"
     and save. The Worker reloads; load the page again. You are still logged in, your browser's cookies
     now carry the new key's signatures, and the site sees what it always saw.
  3. Retire the old key: take "DJANGO_SECRET_KEY" out of fallbacks. What it signed no longer gets in.

The keys are in .dev.vars. Ctrl-C ends both servers.`;

const inFrontOf = (origin, port) => `Countersign runs in front of ${origin}: open

    http://127.0.0.1:${port}/

Your site's own key belongs in .dev.vars as DJANGO_SECRET_KEY='…' (quoted), your site's cookies in wrangler.toml.
Saving wrangler.toml loads both anew. Ctrl-C ends it.`;
