// What the Worker on this machine says of itself: the configuration that is live, and when the next one is.
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 10_000;
const PAUSE_MS = 120;

/** The Worker at `url`, asked for its status with its token; what it says goes into `history`. */
export class LiveWorker {
  /** The last configuration that the Worker took. */
  configuration = null;
  problems = [];
  #said;
  #url;
  #token;
  #history;
  #waiting = [];

  constructor({ url, token, history }) {
    this.#url = url;
    this.#token = token;
    this.#history = history;
  }

  /** Takes what is live now. */
  async load() {
    this.#take(await this.#status());
  }

  /** Resolves with whether another configuration than now is live, soon; `options` are the history's. */
  nextConfiguration(options) {
    return new Promise((resolve) => this.#waiting.push({ resolve, options }));
  }

  /** After a save: asks until the Worker has been loaded anew, or is not going to be (wrangler says why). */
  async follow() {
    let isNew = false;
    for (const until = Date.now() + PATIENCE_MS; !isNew && Date.now() < until;) {
      await sleep(PAUSE_MS, undefined, { ref: false });
      isNew = this.#take(await this.#status());
    }
    for (const { resolve } of this.#waiting.splice(0)) resolve(isNew);
  }

  // `wrangler dev` makes a version of each load. Where the configuration has no binding for it, what it says has to do.
  #take(status) {
    if (!status) return false;
    const { configuration, problems, version } = status;
    const said = JSON.stringify({ configuration, problems, version });
    if (said === this.#said) return false;
    this.#said = said;
    this.problems = problems;
    if (configuration) {
      this.configuration = configuration;
      this.#history.add(configuration, this.#waiting[0]?.options);
    }
    return true;
  }

  async #status() {
    try {
      const headers = { Authorization: `Bearer ${this.#token}` };
      const answer = await fetch(`${this.#url}/.well-known/countersign`, {
        headers,
        signal: AbortSignal.timeout(5_000),
      });
      return answer.headers.get("content-type") === "application/json" ? await answer.json() : null;
    } catch {
      return null; // it is being reloaded
    }
  }
}
