// Runs the Worker on this machine, in front of the demo site or of a site of your own (`npm start -- --help`).
import { once } from "node:events";
import { watch } from "node:fs";
import net from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, orphaned, run, shown, step } from "../src/build/progress.mjs";
import { inRoot, node, npmPackages, python, root, rust, venv } from "../src/build/tools.mjs";
import { startDemo } from "./demo.mjs";
import { ownSite } from "./own-site.mjs";
import { anEnd, dashboard, endAll } from "./servers.mjs";

const HELP = `npm start [-- --origin URL] [-- --port PORT]

Builds the Worker and runs it on this machine, in front of a small Django site, whose page has buttons that rotate.

  --origin URL   put it in front of a site of your own instead, e.g. http://127.0.0.1:8000: it says what
                 countersign init finds there, and runs on a wrangler.toml in .tools/demo/site, which only observes
  --port PORT    where it listens on 127.0.0.1 (8787)
  --help         this text

Saving wrangler.toml loads it anew. A key that it names and .dev.vars lacks gets a random secret.`;

const WORK = inRoot(".tools/demo");
const BUILD = inRoot("src/build/build.mjs");
const CLI = path.join(process.env.CARGO_TARGET_DIR ?? inRoot("target"), "debug/countersign");

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
  if ((await built()) !== 0) throw new Failure("the Worker was not built");
  await step("command line", "cargo", ["build", "--locked", "--bin", "countersign"], { cwd: root });
  return environment;
}

const built = () => shown(process.execPath, [BUILD, "--features", "local"], { cwd: root });

/** Builds again after each change of the source; wrangler loads what is built. */
function buildEachChange() {
  let timer;
  watch(inRoot("src"), { recursive: true, persistent: false }, () => {
    clearTimeout(timer);
    timer = setTimeout(built, 300);
  });
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
  const folder = origin ? path.join(WORK, "site", new URL(origin).host.replaceAll(":", "-")) : root;
  const rules = origin && (await ownSite({ origin, folder, cli: CLI }));
  const script = inRoot("build/index.js");
  const demo = await startDemo({ folder, work: WORK, script, port, origin, python: environment, cli: [CLI] });
  buildEachChange();
  // ---- beside the demo: the dashboard, where this release has one
  const board = await dashboard({ cli: CLI, url: demo.url, folder });
  console.log(`\n${origin ? inFrontOf(demo, folder, rules) : tour(demo)}${board ? beside(board) : ""}\n`);
  if (demo.status === 503) console.log("It answers 503: its log names what is wrong with the configuration.\n");
  if (demo.status === 502) console.log(`It answers 502: nothing answers at ${demo.site} yet.\n`);
  await anEnd();
}

function interrupted() {
  return Promise.race([orphaned(), ...["SIGINT", "SIGTERM", "SIGHUP"].map((name) => once(process, name))]);
}

const tour = ({ url, site }) => `Countersign runs in front of a Django site: open

    ${url}/        (the site itself, without Countersign, is ${site}/)

and try:
  1. Log in. The page shows which key signed your browser's cookies, and which the site's.
  2. Rotate the key: you are still logged in, your browser's cookies carry the new key's signatures, and the site
     sees what it always saw. By hand: in wrangler.toml, edit one line to
         current   = "KEY_2026_11"
     and save.
  3. Retire the leaked key, and forge a login with it: the site alone takes it, Countersign does not.

The buttons edit wrangler.toml. "Start over" puts it back as it is now; so does git checkout wrangler.toml.
The keys are in .dev.vars. Ctrl-C ends both servers.`;

const inFrontOf = ({ url, site }, folder, { key, hasRules }) => `Countersign runs in front of ${site}: open

    ${url}/

${hasRules ? OBSERVES : `Without a rule it passes everything on, and says so.\n${needs(key)}`}
Its configuration is in ${path.relative(root, folder)}/. Saving wrangler.toml or .dev.vars
there loads both anew. Ctrl-C ends it.`;

const OBSERVES = "It observes: below it says which key and format each cookie has, and changes nothing.";

const needs = (key) => `\
Put your site's own key into its .dev.vars, as ${key}='…' (quoted), and start again: the rules that were
found are then taken. Or write a rule yourself, from docs/formats.md.`;

const beside = (board) => `

The dashboard of this Worker: ${board}`;
