// What the buttons of the demo's page do, by the commands that an operator types.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { eachLine } from "../src/build/progress.mjs";
import { nameOf } from "./history.mjs";

/** The steps of a run: `actions` by name for the control server, `next` and `log` for the page to show. */
export class Steps {
  /** Lines of a terminal, the oldest first: `{text, kind}` with a kind of command, output or error. */
  log = [];
  /** What came of the last forged cookie. */
  forged = null;
  #run;
  #asItWas;

  /**
   * `run` holds `cli` (the command and its first arguments), `folder` and in it `file` (wrangler.toml), `kept` (where
   * start over keeps what it replaces), `url` of the Worker, `site` (says its address), `history`, `worker` (which knows
   * what is live) and `forge` (makes a cookie).
   */
  constructor(run) {
    this.#run = run;
    this.#asItWas = readFileSync(run.file);
    this.actions = {
      rotate: () => this.#rotate(),
      retire: () => this.#command("revoke", this.#retirable()), // nobody waits with a key that has leaked
      forge: () => this.#forge(),
      "start-over": () => this.#startOver(),
    };
  }

  /** What each button would run now, as it is typed; null where there is nothing to do. */
  next() {
    const { history, site } = this.#run;
    const [staged] = history.with("staged");
    const key = staged ?? this.#nextName();
    const rotate = [...(staged ? [] : [typed("stage", key)]), typed("promote", key)];
    const old = this.#retirable();
    return {
      rotate,
      retire: old ? [typed("revoke", old)] : null,
      forge: [`curl --cookie sessionid=FORGED ${this.#run.url}/who`, `curl --cookie sessionid=FORGED ${site()}/who`],
      "start-over": readFileSync(this.#run.file).equals(this.#asItWas) ? null : [],
    };
  }

  async #rotate() {
    const [staged] = this.#run.history.with("staged");
    const key = staged ?? this.#nextName();
    if (!staged) await this.#command("stage", key);
    await this.#command("promote", key);
  }

  // The site's own key first: it is the one that the page tells has leaked.
  #retirable() {
    const old = this.#run.history.with("fallback");
    const own = nameOf(this.#run.worker.configuration.keys.origin);
    return old.includes(own) ? own : old[0];
  }

  #nextName() {
    const months = this.#run.history.phases
      .at(-1)
      .ring.map(({ key }) => /^KEY_(\d{4})_(\d{2})$/.exec(key))
      .filter(Boolean)
      .map(([, year, month]) => year * 12 + Number(month)); // of which December is month 0 of the next year
    const now = new Date();
    const last = months.length ? Math.max(...months) : now.getFullYear() * 12 + now.getMonth();
    return `KEY_${Math.floor(last / 12)}_${String((last % 12) + 1).padStart(2, "0")}`;
  }

  async #command(...args) {
    const { cli, folder, url, worker } = this.#run;
    this.#say("command", typed(...args, "--url", url)); // which a site with routes does not need
    const [command, ...first] = cli;
    const reloaded = worker.nextConfiguration();
    const code = await spoken(folder, command, [...first, ...args, "--url", url], (line) => {
      // What comes next is the deployment, which a Worker on this machine does not need.
      if (!line.startsWith("next:")) this.#say("output", line);
    });
    if (code !== 0) throw this.#failure(`countersign ${args[0]} ended with ${code}`);
    if (!(await reloaded))
      throw this.#failure("the Worker has not loaded the change: the terminal of npm start says why");
  }

  async #forge() {
    const { url, site, forge, worker } = this.#run;
    const cookie = await forge();
    const through = await visitorOf(url, cookie);
    const straight = await visitorOf(site(), cookie);
    const [first, second] = this.next().forge;
    this.#say("command", first);
    this.#say("output", JSON.stringify(through));
    this.#say("command", second);
    this.#say("output", JSON.stringify(straight));
    this.forged = {
      at: Date.now(),
      key: nameOf(worker.configuration.keys.origin),
      through: through.user,
      straight: straight.user,
    };
  }

  async #startOver() {
    const { file, kept, worker } = this.#run;
    const now = readFileSync(file);
    if (now.equals(this.#asItWas)) return;
    const reloaded = worker.nextConfiguration({ isStartedOver: true });
    writeFileSync(kept, now);
    writeFileSync(file, this.#asItWas);
    this.forged = null;
    this.log = [];
    this.#say("output", "wrangler.toml is as it was when npm start began");
    if (!(await reloaded))
      throw this.#failure("the Worker has not loaded the change: the terminal of npm start says why");
  }

  #failure(message) {
    this.#say("error", message);
    return new Error(message);
  }

  #say(kind, text) {
    this.log.push({ kind, text });
    this.log.splice(0, this.log.length - MOST_LINES);
  }
}

const MOST_LINES = 200;

const typed = (...args) => `countersign ${args.join(" ")}`;

function spoken(cwd, command, args, onLine) {
  const child = spawn(command, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  eachLine(child.stdout, onLine);
  eachLine(child.stderr, onLine);
  return new Promise((resolve) => {
    child.once("error", (error) => (onLine(error.message), resolve(error.code)));
    child.once("close", resolve);
  });
}

async function visitorOf(address, cookie) {
  const answer = await fetch(`${address}/who`, { headers: { Cookie: `sessionid=${cookie}` }, redirect: "manual" });
  return answer.ok ? answer.json() : { user: null, status: answer.status };
}
