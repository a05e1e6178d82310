// A folder with a wrangler.toml and a .dev.vars, run as `wrangler dev` runs it: wrangler reads both, and Miniflare
// starts the Worker. `workerd.mjs` gives the Worker its bindings by itself and sends exact bytes; here they are read.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout } from "node:timers/promises";
import { assertNoLeak, sensitive } from "./leaks.mjs";
import { temporaryFolder } from "./processes.mjs";

/**
 * Runs the Worker of `build` as `files` say, texts by name; `env` is wrangler's environment. Stops after the test, and
 * fails it if a cookie value or one of `secrets` was logged.
 */
export async function miniflare(t, { files, env, build = "build", secrets = {} }) {
  Object.values(secrets).forEach(sensitive);
  const folder = temporaryFolder();
  quiet(folder);
  const { createTestHarness } = await import("wrangler");
  const write = (files) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  };
  write({ ...files, "wrangler.toml": head(build) + files["wrangler.toml"] });
  const options = { root: folder, workers: [{ configPath: "wrangler.toml", env }] };
  let server = createTestHarness(options);
  const logged = [];
  const logText = () => [...logged, ...server.getLogs()].map(({ message }) => message).join("\n");

  t.after(async () => {
    await server.close();
    assertNoLeak(logText());
  });
  const running = {
    port: 0,
    logText,
    /** Waits for a text in the log. */
    async logs(pattern) {
      for (const end = Date.now() + PATIENCE_MS; !pattern.test(logText()); await setTimeout(5)) {
        if (Date.now() > end) throw new Error(`waited in vain for ${pattern} in:\n${logText()}`);
      }
    },
    /** As wrangler's own test harness asks the Worker: with the address that it is to see. */
    fetch: (url, init) => server.fetch(url, init),
    /** Ends, and starts again with files that have changed. */
    async restart(files) {
      logged.push(...server.getLogs());
      await server.close();
      write({ ...files, ...("wrangler.toml" in files && { "wrangler.toml": head(build) + files["wrangler.toml"] }) });
      server = createTestHarness(options);
      await begin();
    },
  };
  const begin = async () => (running.port = Number((await server.listen()).url.port));
  await begin();
  return running;
}

/** What every wrangler.toml here begins with. */
const head = (build) => `name = "countersign"
main = "${path.join(PROJECT, build, "index.js")}"
${DATE}
`;

// Nobody is asked for the place of this machine or told how often wrangler runs, and no settings of this machine count.
function quiet(folder) {
  const own = path.join(folder, ".config");
  mkdirSync(own);
  const silent = { CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  Object.assign(process.env, { ...silent, XDG_CONFIG_HOME: own, WRANGLER_LOG_PATH: own });
}

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const [DATE] = /^compatibility_date.*$/m.exec(readFileSync(path.join(PROJECT, "wrangler.toml"), "utf8"));
const PATIENCE_MS = 3_000;
