// What the project installs is what its lock files name: no script bypasses them, and each line of them has a hash.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { inRoot, root } from "../../src/build/tools.mjs";

const tracked = (...patterns) =>
  execFileSync("git", ["ls-files", "-z", "--", ...patterns], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
const read = (file) => readFileSync(inRoot(file), "utf8");

// Go's takes a file and nothing from elsewhere.
const IS_NOT_CARGO = /"build", "-o"/;
const CARGO = /\["(?:bench|build|clippy|fetch|install|metadata|run|rustc|test|tree)",[^\]]*\]/g;
const PIP = /"pip",[^\]]*?\]/g;

/** The commands of a file that bypass a lock file. */
function unlockedCommands(text) {
  const cargo = (text.match(CARGO) ?? []).filter((call) => !IS_NOT_CARGO.test(call) && !call.includes('"--locked"'));
  const pip = (text.match(PIP) ?? []).filter((call) => /install|download/.test(call));
  const open = pip.filter((call) => !call.includes('"--require-hashes"'));
  const npm = text.match(/npm\([^)]*"install"|"npm", \["(?:install|i|add)"|npm (?:install|i) |npx --yes|npx -y/g) ?? [];
  return [...cargo, ...open, ...npm];
}

test("no script bypasses a lock file", () => {
  const scripts = tracked("*.mjs").filter((file) => file !== "tests/e2e/installations.test.mjs");
  assert.ok(scripts.length > 100, `${scripts.length}`);
  for (const file of scripts) assert.deepEqual(unlockedCommands(read(file)), [], file);
  for (const file of tracked(".github/workflows", ".ci/run")) {
    const commands = read(file).replaceAll(/(^|\s)#.*/g, "");
    assert.doesNotMatch(commands, /npm install|pip install|npx |cargo \w+ (?!--locked)/, file);
  }
});

test("a script that bypasses a lock file is seen", () => {
  for (const text of [
    'step("x", "cargo", ["build", "--bins"])',
    'const BENCH = ["bench", "--bench", "native"];',
    'npm("Node", ["install", "--prefix", folder])',
    'step("x", "npm", ["install", "left-pad"])',
    'step("x", own, ["-m", "pip", "install", "-r", requirements])',
  ]) {
    assert.notDeepEqual(unlockedCommands(text), [], text);
  }
});

test("each Cargo.toml of a workspace and each package.json has its lock file", () => {
  const files = new Set(tracked("*Cargo.lock", "*package-lock.json"));
  const packages = tracked("*package.json", ":!tests/cli", ":!tests/rotation"); // whose projects are what is tested
  for (const file of packages) assert.ok(files.has(file.replace("package", "package-lock")), file);
  const workspaces = tracked("*Cargo.toml").filter((file) => /^\[workspace\]/m.test(read(file)));
  assert.ok(workspaces.length > 2, workspaces.join());
  for (const file of workspaces) assert.ok(files.has(file.replace(".toml", ".lock")), file);
});

test("each package of npm comes from the registry and has a hash", () => {
  for (const file of tracked("*package-lock.json")) {
    const { "": _, ...packages } = JSON.parse(read(file)).packages;
    for (const [name, { integrity, resolved, link }] of Object.entries(packages)) {
      assert.ok(!link && integrity?.startsWith("sha512-"), `${file}: ${name}`);
      if (resolved) assert.match(resolved, /^https:\/\/registry\.npmjs\.org\//, `${file}: ${name}`);
    }
  }
});

test("each package of Python has its version and a hash, and what is asked for is locked", () => {
  const asked = tracked("*requirements*.in");
  assert.deepEqual(tracked("*requirements*.txt"), asked.map((file) => file.replace(/in$/, "txt")));
  for (const file of asked) {
    const lock = read(file.replace(/in$/, "txt")).replaceAll("\\\n", " ").split("\n").filter((line) => /^[^#\s]/.test(line));
    for (const line of lock) assert.match(line, /^[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}/, file);
    const locked = new Set(lock.map((line) => normalised(line.split(" ")[0])));
    for (const line of read(file).split("\n").filter((line) => /^[^#\s]/.test(line))) {
      assert.ok(locked.has(normalised(line)), `${file}: ${line} is not in its lock file: run its first lines' command`);
    }
  }
});

test("workflows name actions by their commits", () => {
  const uses = tracked(".github/workflows").flatMap((file) => read(file).match(/uses: .+/g) ?? []);
  assert.ok(uses.length > 5, `${uses.length}`);
  for (const use of uses) assert.match(use, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

/** A name of Python's packages as all of its spellings are compared. */
const normalised = (text) => text.toLowerCase().replaceAll(/[-_.]+(?=[^=]*==)/g, "-");
