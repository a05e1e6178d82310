// One run of the demo: the site, the Worker in front of it, and what the page's buttons call.
import path from "node:path";
import { copyEachSave, CONFIGURATION } from "./configuration.mjs";
import { controlServer } from "./control.mjs";
import { History, nameOf } from "./history.mjs";
import { LiveWorker } from "./live.mjs";
import { localSecrets } from "./secrets.mjs";
import { demoSite, forgedSession, wranglerDev } from "./servers.mjs";
import { Steps } from "./steps.mjs";

/**
 * Starts the Worker `script` on `folder`/wrangler.toml. In front of `origin`, or else of the demo site, run by `python`.
 * `work` is a folder for what may be lost, `cli` the command line as a list, `onLine` is called with each line of a log.
 * Resolves with `{url, site, status, saves, close}`, `status` that of the first answer.
 */
export async function startDemo({ folder, work, script, port, origin, python, cli, onLine = console.log }) {
  const url = `http://127.0.0.1:${port}`;
  const history = new History();
  const run = { folder, work, script, port, python, cli, onLine, url, history };
  run.secrets = () => localSecrets(folder, onLine, { isOwnSite: Boolean(origin) });
  const secrets = run.secrets();
  const worker = new LiveWorker({ url, token: secrets.COUNTERSIGN_TOKEN, history });
  const control = origin ? null : await controlOf(run, worker);
  const site = origin ? null : await demoSite({ python, secrets, work, port, control, onLine });
  if (site) run.site = site.url;
  const copy = copyEachSave({
    folder,
    into: path.join(work, `worker-${port}`),
    prepare: () => (site ? site.tell(run.secrets()) : run.secrets()),
    reloaded: () => worker.follow(),
  });
  const upstream = origin ?? site.url;
  const status = await wranglerDev({
    script,
    configuration: copy.file,
    upstream,
    port,
    path: origin ? "/" : "/who",
    onLine,
  });
  await worker.load();
  return { url, site: upstream, status, close: () => (copy.close(), control?.close()) };
}

async function controlOf(run, worker) {
  const { folder, work, port, cli, url, history } = run;
  const forge = () => forgedSession({ ...run, secrets: run.secrets() });
  const file = path.join(folder, CONFIGURATION);
  const kept = path.join(work, "wrangler.toml.before-start-over");
  const steps = new Steps({ cli, folder, file, kept, url, site: () => run.site, history, worker, forge });
  const state = () => ({
    phases: history.phases,
    siteKey: worker.configuration && nameOf(worker.configuration.keys.origin),
    problems: worker.problems,
    next: history.phases.length ? steps.next() : null,
    log: steps.log,
    forged: steps.forged,
  });
  const pages = ["127.0.0.1", "localhost"].map((host) => `http://${host}:${port}`);
  return controlServer({ pages, state, actions: steps.actions });
}
