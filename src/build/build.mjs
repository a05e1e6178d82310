// Builds the deployable Worker (`npm run build`): build/index.js and build/countersign_bg.wasm.
// `--features NAME` builds with a cargo feature (see Cargo.toml), `--out DIR` elsewhere: the tests make a faulty Worker
// that way, and `wrangler dev` one whose panics say why.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { REMAPPED } from "./paths.mjs";
import { Failure, run, shown, step } from "./progress.mjs";
import { inRoot, node, npmPackages, root, rust, sha256, wasmBindgen, wasmTarget } from "./tools.mjs";

// A panic's log names the file, without the path of the machine that builds.
const RUST_FLAGS = ["-Ctarget-feature=+simd128", ...REMAPPED];
const CARGO_FLAGS = ["--release", "--package", "countersign-worker", "--target", "wasm32-unknown-unknown"];
// The reset is what a fault is answered with: the wasm instance after a panic is in no known state.
const BINDGEN_FLAGS = [
  ...["--target", "web", "--no-typescript", "--out-name", "countersign"],
  ...["--experimental-reset-state-function", "--encode-into", "always"],
];
const BUNDLE = { bundle: true, format: "esm", minify: true, external: ["*.wasm"] };
// With the names of functions, which the trace of a trap tells.
const OPT_FLAGS = ["-O3", "--debuginfo"];
const WASM = "countersign_bg.wasm";
const ENTRY = "index.js";
const STAMP = ".made-from";
// What wrangler names itself by when it builds for more than this machine.
const DEPLOYS = ["deploy", "versions upload"];
const RUNS_HERE = "dev";

const OPTIONS = { features: { type: "string" }, out: { type: "string", default: "build" } };

run(() => {
  const { out, features } = parseArgs({ options: OPTIONS }).values;
  const isLocal = process.env.WRANGLER_COMMAND === RUNS_HERE;
  return build(path.resolve(root, out), features ?? (isLocal ? "local" : undefined));
});

async function build(out, features) {
  refuseToOverwrite(out);
  node();
  await rust();
  await npmPackages();
  if (DEPLOYS.includes(process.env.WRANGLER_COMMAND)) await checked();
  await wasmTarget();
  const raw = await compiled(features);
  const bindgen = await wasmBindgen();
  const madeFrom = fingerprint(raw);
  if (isMadeFrom(out, madeFrom)) return console.log(`${named(out)} is up to date: ${sizes(out)}`);
  // Beside the target folder, so that the files can be renamed into place; several builds may run at once.
  const folder = mkdtempSync(inRoot("target/worker-"));
  try {
    await bound(bindgen, raw, folder);
    writeFileSync(path.join(folder, STAMP), madeFrom);
    putInPlace(folder, out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${named(out)}: ${sizes(out)}`);
}

/** A configuration that is wrong is refused before it is live. Wrangler does not say which environment it builds for. */
async function checked() {
  await step("countersign", "cargo", ["build", "--locked", "--quiet", "--bin", "countersign"], { cwd: root });
  const check = ["run", "--locked", "--quiet", "--bin", "countersign", "--", "check", "--no-secrets"];
  const code = await shown("cargo", check, { cwd: root });
  if (code === 0) return;
  throw new Failure("the configuration in wrangler.toml is wrong", "mend what is marked as an error above");
}

async function compiled(features) {
  // A folder of its own: a deployable build that runs at the same time must never pick up a feature's wasm.
  const target = inRoot("target", ...(features ? [`feature-${features}`] : []));
  const args = ["build", "--locked", ...CARGO_FLAGS, "--target-dir", target, ...(features ? ["--features", features] : [])];
  const env = { CARGO_ENCODED_RUSTFLAGS: RUST_FLAGS.join("\x1f") }; // a path may hold spaces
  await step(`Rust to wasm${features ? ` (feature ${features})` : ""}`, "cargo", args, { cwd: root, env });
  return path.join(target, "wasm32-unknown-unknown/release/countersign_worker.wasm");
}

async function bound(bindgen, raw, folder) {
  const glue = path.join(folder, "glue");
  const wasm = path.join(folder, WASM);
  await step("JavaScript glue", bindgen, [...BINDGEN_FLAGS, "--out-dir", glue, raw], { cwd: root });
  copyFileSync(inRoot("src/worker/entry.js"), path.join(glue, ENTRY));
  const esbuild = await import("esbuild"); // which is installed by now
  await esbuild.build({ ...BUNDLE, entryPoints: [path.join(glue, ENTRY)], outfile: path.join(folder, ENTRY) });
  renameSync(path.join(glue, WASM), wasm);
  rmSync(glue, { recursive: true });
  const opt = inRoot("node_modules/binaryen/bin/wasm-opt");
  await step("optimised wasm", process.execPath, [opt, ...OPT_FLAGS, wasm, "-o", `${wasm}.optimised`], { cwd: root });
  renameSync(`${wasm}.optimised`, wasm);
}

function fingerprint(raw) {
  const inputs = [
    raw,
    inRoot("src/worker/entry.js"),
    inRoot("src/build/build.mjs"),
    inRoot("Cargo.lock"),
    inRoot("package-lock.json"),
  ];
  return sha256(...inputs.map((file) => readFileSync(file)));
}

function isMadeFrom(out, madeFrom) {
  const stamp = path.join(out, STAMP);
  return (
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === madeFrom &&
    existsSync(path.join(out, WASM)) &&
    existsSync(path.join(out, ENTRY))
  );
}

// Each file appears whole, the entry last, and a build that fails leaves the one before it untouched.
function putInPlace(folder, out) {
  mkdirSync(out, { recursive: true });
  const order = (file) => [WASM, ENTRY, STAMP].indexOf(file);
  const files = readdirSync(folder).sort((a, b) => order(a) - order(b));
  for (const file of [STAMP, ...readdirSync(out).filter((file) => !files.includes(file) || isFolder(out, file))]) {
    rmSync(path.join(out, file), { recursive: true, force: true });
  }
  for (const file of files) renameSync(path.join(folder, file), path.join(out, file));
}

function refuseToOverwrite(out) {
  const present = existsSync(out) ? readdirSync(out) : [];
  if (present.length === 0 || present.includes(WASM) || present.includes(STAMP)) return;
  throw new Failure(
    `${named(out)} holds other files, which a build would delete`,
    "name an empty or a new folder with --out",
  );
}

function sizes(out) {
  const names = readdirSync(out, { recursive: true }).filter((file) => file !== STAMP && !isFolder(out, file));
  const files = names.map((file) => path.join(out, file));
  const total = (end) => files.filter((file) => file.endsWith(end)).reduce((sum, file) => sum + statSync(file).size, 0);
  const packed = gzipSync(Buffer.concat(files.map((file) => readFileSync(file))), { level: 9 }).length;
  return `wasm ${kib(total(".wasm"))}, js ${kib(total(".js"))}, gzip -9 of all ${kib(packed)}`;
}

function isFolder(out, file) {
  return statSync(path.join(out, file)).isDirectory();
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

function named(folder) {
  return path.relative(root, folder) || folder;
}
