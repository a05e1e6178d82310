// Looks at what the project is made from (`npm run audit`): licences, sources and doubles of crates by cargo-deny, the
// lock files, and, where their servers answer, known advisories, yanked crates and the signatures of npm's packages.
// `--online` fails where one does not answer.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { Failure, outcome, run } from "./progress.mjs";
import { cargoDeny, inRoot, npmPackages, rust, testPackages } from "./tools.mjs";

const OPTIONS = { online: { type: "boolean", default: false } };
const PRODUCT = ".";
/** Each has a Cargo.lock. */
const WORKSPACES = [PRODUCT, "tests/fuzz", "tests/e2e/frameworks/sites/rust"];
/** Each has a package-lock.json, and what it names is installed here. */
const PACKAGES = [".", "tests"];
/** These have a package-lock.json too, and are installed only where they are needed. */
const INSTALLED_ON_DEMAND = ["tests/peers", "src/build/newer-node"];
// In the product a double has to stand in deny.toml, and what stands there has to be a double still.
const lintsOfDoubles = (folder) => (folder === PRODUCT ? ["--deny", "unmatched-skip"] : ["--warn", "duplicate"]);
const NOT_REACHED = /failed to fetch advisory database|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|audit endpoint returned an error/;

/** npm says why, also where it is called by `npm run --silent`, and asks once. */
const NPM = { npm_config_loglevel: "error", npm_config_fetch_retries: "0" };

run(async () => {
  const { online } = parseArgs({ options: OPTIONS }).values;
  await rust();
  await npmPackages();
  await testPackages();
  const deny = await cargoDeny();
  const unanswered = [];
  for (const folder of WORKSPACES) {
    const manifest = ["--manifest-path", inRoot(folder, "Cargo.toml")];
    await must(`lock file of ${folder}`, "cargo", ["metadata", "--locked", "--format-version", "1", ...manifest]);
    const check = (...what) => [...manifest, "--color", "never", "check", "--hide-inclusion-graph", ...what];
    await must(`licences, doubles and sources of ${folder}`, deny, check(...lintsOfDoubles(folder), "licenses", "bans", "sources"));
    await may(unanswered, `advisories and yanked crates of ${folder}`, deny, check("advisories"));
  }
  for (const folder of [...PACKAGES, ...INSTALLED_ON_DEMAND]) {
    const at = ["--prefix", inRoot(folder)];
    await must(`lock file of ${folder}'s packages`, "npm", ["ci", "--dry-run", "--ignore-scripts", ...at]);
    await may(unanswered, `advisories for ${folder}'s packages`, "npm", ["audit", "--package-lock-only", ...at]);
    // npm asks for the signatures of what is installed, not of what the lock file names
    if (PACKAGES.includes(folder))
      await may(unanswered, `signatures of ${folder}'s packages`, "npm", ["audit", "signatures", ...at]);
  }
  if (unanswered.length === 0) return console.log("audit: all was asked, nothing was found");
  console.log("audit: nothing was found, but no server answered for:");
  for (const what of unanswered) console.log(`  not asked: ${what}`);
  if (online) throw new Failure("--online asks for all of it");
});

/** What has to be right without a network. */
async function must(what, command, args) {
  const { code, text } = await outcome(command, args, { cwd: inRoot(), env: NPM });
  if (code !== 0) throw new Failure(`${what}: not as it should be`, text.trim());
  const doubles = text.split("warning[duplicate]").length - 1;
  console.log(`audit ${what}: right${doubles > 0 ? `, ${doubles} crates in more than one version` : ""}`);
}

/** What only a server knows. */
async function may(unanswered, what, command, args) {
  const { code, text } = await outcome(command, args, { cwd: inRoot(), env: NPM });
  if (code === 0) return console.log(`audit ${what}: nothing found`);
  if (!NOT_REACHED.test(text)) throw new Failure(`${what}: something was found`, text.trim());
  unanswered.push(what);
}
