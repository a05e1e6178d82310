// A folder as an operator has it: a wrangler.toml under git, and the real commands that are run there.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { TARGET, ended, textOf } from "./commands.mjs";
import { assertNoLeak } from "./leaks.mjs";
import { program, temporaryFolder } from "./processes.mjs";

/** A repository with this wrangler.toml; `environment` is what its commands have beside the one of the tests. */
export async function repository(toml, environment) {
  const folder = temporaryFolder();
  const file = (name) => path.join(folder, name);
  const env = { ...OF_A_SCRIPT, ...environment, XDG_CONFIG_HOME: file(".config"), WRANGLER_LOG_PATH: file(".config") };

  /** Runs a command, to end with `code`, beside `more` environment; answers what it said, which holds no secret. */
  async function run(command, { code = 0, input = "", more = {} } = {}) {
    const child = program(command, { ...env, ...more }, { cwd: folder });
    child.stdin.on("error", () => {}); // which not every command reads
    child.stdin.end(input);
    const [text, exit] = await Promise.all([textOf(child.stdout), ended(child)]);
    const said = child.errors + text;
    assertNoLeak(said);
    assert.equal(exit, code, `${command.slice(-4).join(" ")}\n${said}`);
    return said;
  }
  const words = (line) => line.split(" ");
  const self = {
    countersign: (line, options) => run([COUNTERSIGN, ...words(line)], options),
    wrangler: (line, options) => run([file("node_modules/.bin/wrangler"), ...words(line)], options),
    git: (line) => run(["git", ...words(line)]),
    toml: () => readFileSync(file("wrangler.toml"), "utf8"),
    write: (name, text) => writeFileSync(file(name), text),
    /** Edits wrangler.toml by hand, and commits that. */
    async edit(from, to, message) {
      const before = self.toml();
      assert.ok(before.includes(from), `no ${from} in ${before}`);
      self.write("wrangler.toml", before.replace(from, to));
      await run(["git", "commit", "--quiet", "--message", message, "--", "wrangler.toml"]);
    },
  };

  mkdirSync(file("node_modules/.bin"), { recursive: true });
  writeFileSync(file("node_modules/.bin/wrangler"), WRANGLER, { mode: 0o755 });
  self.write("wrangler.toml", toml);
  self.write(".gitignore", "node_modules\n.wrangler\n.config\n");
  await self.git("init --quiet");
  await self.git("add .");
  await self.git("commit --quiet --message Begin");
  return self;
}

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const COUNTERSIGN = path.join(TARGET, "debug/countersign");

/** As wrangler's own bin/wrangler.js starts it, without that process in between: some fifty runs are a test. */
const WRANGLER = `#!/bin/sh
exec "${process.execPath}" --no-warnings --experimental-vm-modules \\
  "${path.join(PROJECT, "node_modules/wrangler/wrangler-dist/cli.js")}" "$@"
`;

/** Nobody is asked, nobody is told how often wrangler runs, and no settings of this machine count. */
const OF_A_SCRIPT = {
  CI: "1",
  NO_COLOR: "1",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true", // which asks npm for newer versions
  // as a hook sets them for the repository of this project
  ...{ GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined },
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "Operator",
  GIT_AUTHOR_EMAIL: "operator@shop.example",
  GIT_COMMITTER_NAME: "Operator",
  GIT_COMMITTER_EMAIL: "operator@shop.example",
};
