// Builds twice, here and in a copy in another folder with another home and another CARGO_HOME, and compares the bytes
// (`npm run reproduce`): what a release holds must follow from the commit alone. `--release` compares all that
// `npm run release` makes, which takes minutes; `--target` and `--tag` are passed on to it.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, asked, run, shown } from "./progress.mjs";
import { inRoot, npmPackages, root, sha256 } from "./tools.mjs";

const INSTALLED = ["node_modules", ".tools"];
const OF_CARGO = ["registry", "config.toml"];
const CARGO = process.env.CARGO_HOME ?? path.join(homedir(), ".cargo");
const RUSTUP = process.env.RUSTUP_HOME ?? path.join(homedir(), ".rustup");
// Not compared: it may also name what was made before for other platforms, and the files it names are compared.
const SUMS = "SHA256SUMS";
const OPTIONS = { release: { type: "boolean", default: false }, target: { type: "string" }, tag: { type: "string" } };

run(async () => {
  const { release, ...passedOn } = parseArgs({ options: OPTIONS }).values;
  const [script, output] = release ? ["release.mjs", "release"] : ["build.mjs", "build"];
  if (!release && Object.keys(passedOn).length > 0) throw new Failure("--target and --tag are for --release");
  const args = Object.entries(passedOn).flatMap(([name, value]) => [`--${name}`, value]);
  await npmPackages();
  const parent = mkdtempSync(path.join(tmpdir(), "countersign-"));
  try {
    const copy = path.join(parent, "in a folder of another name");
    copyTo(copy);
    const time = await timeOfCommit();
    await build(root, script, args, time);
    await build(copy, script, args, { ...time, ...otherHome(parent) });
    compare(path.join(root, output), path.join(copy, output));
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
});

async function build(folder, script, args, env) {
  const command = [path.join(folder, "src/build", script), ...args];
  const code = await shown(process.execPath, command, { cwd: folder, env: { ...env, WRANGLER_COMMAND: "" } });
  if (code !== 0) throw new Failure(`the build in ${folder} failed`);
}

/** For both builds: the copy has no history to take it from. */
async function timeOfCommit() {
  const seconds = process.env.SOURCE_DATE_EPOCH ?? (await asked("git", ["log", "-1", "--format=%ct"], { cwd: root }));
  if (seconds) return { SOURCE_DATE_EPOCH: seconds.trim() };
  throw new Failure("there is no commit to take the time from", "SOURCE_DATE_EPOCH=$(date +%s) npm run reproduce");
}

/** A home and a CARGO_HOME whose paths are others, with the crates that are downloaded already. */
function otherHome(parent) {
  const [home, cargo] = ["home", "cargo of another home"].map((name) => path.join(parent, name));
  for (const folder of [home, cargo, path.join(CARGO, "registry")]) mkdirSync(folder, { recursive: true });
  const present = OF_CARGO.filter((name) => existsSync(path.join(CARGO, name)));
  for (const name of present) symlinkSync(path.join(CARGO, name), path.join(cargo, name));
  return { HOME: home, CARGO_HOME: cargo, RUSTUP_HOME: RUSTUP };
}

/** The files of this checkout, as they are; what is installed is the same. */
function copyTo(folder) {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    cpSync(inRoot(file), path.join(folder, file));
  }
  for (const name of INSTALLED) symlinkSync(inRoot(name), path.join(folder, name));
}

function compare(here, there) {
  const isCompared = (name) => name !== SUMS && statSync(path.join(there, name)).isFile();
  const files = readdirSync(there).filter(isCompared);
  if (files.length === 0) throw new Failure("nothing was built");
  const sum = (folder, name) => sha256(readFileSync(path.join(folder, name)));
  for (const name of files.sort()) console.log(`${sum(there, name)}  ${name}`);
  const others = files.filter((name) => sum(here, name) !== sum(there, name));
  if (others.length > 0) throw new Failure(`other bytes from another folder: ${others.join(", ")}`, "src/build/paths.mjs");
  console.log(`reproduce: ${files.length} files, the same bytes from two folders and two homes`);
}
