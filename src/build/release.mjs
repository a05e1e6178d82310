// Makes what a release is made of (`npm run release`): an archive with the command line, which carries the Worker; the
// list of what is inside (SBOM); and the checksums of both. The same commit makes the same bytes in any folder.
// `--target TRIPLE` is for another platform, `--out DIR` for another folder than release/, and `--tag v1.2.3` refuses
// where that is not the version in Cargo.toml.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { archive } from "./archive.mjs";
import { REMAPPED, cFlags } from "./paths.mjs";
import { Failure, asked, run, shown, step } from "./progress.mjs";
import { sbom } from "./sbom.mjs";
import { inRoot, node, npmPackages, root, rust, rustTarget, sha256 } from "./tools.mjs";

const PROGRAM = "countersign";
const DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
const SUMS = "SHA256SUMS";
const MUSL = "musl-gcc";
// A folder of its own: build/ may hold the Worker of `npm start`, whose panics tell what visitors sent.
const WORKER = inRoot("target/release-worker");
const COMPLETIONS = { bash: "countersign.bash", fish: "countersign.fish", zsh: "_countersign" };
const OPTIONS = { target: { type: "string" }, out: { type: "string", default: "release" }, tag: { type: "string" } };

run(async () => {
  const { target: given, out, tag } = parseArgs({ options: OPTIONS }).values;
  node();
  await rust();
  const version = /^version = "([^"]+)"/m.exec(readFileSync(inRoot("Cargo.toml"), "utf8"))[1];
  if (tag && tag !== `v${version}`)
    throw new Failure(`the tag is ${tag}, and Cargo.toml says ${version}`, `git tag v${version}`);
  const seconds = await timeOfCommit();
  await npmPackages();
  const target = given ?? (await targetOfThisMachine());
  await rustTarget(target);
  await buildWorker();
  const binary = await buildProgram(target, seconds);
  await release(path.resolve(root, out), { version, target, binary, seconds });
});

/** When the commit was made, in Unix seconds, as SOURCE_DATE_EPOCH means it. */
async function timeOfCommit() {
  const seconds = process.env.SOURCE_DATE_EPOCH ?? (await asked("git", ["log", "-1", "--format=%ct"], { cwd: root }));
  if (!/^\d+$/.test(seconds ?? "")) {
    throw new Failure("there is no commit to take the time from", "SOURCE_DATE_EPOCH=$(date +%s) npm run release");
  }
  if (await asked("git", ["status", "--porcelain"], { cwd: root })) {
    console.log("the working tree has changes: what is made is not what the commit makes");
  }
  return Number(seconds);
}

/** On Linux without glibc where a C compiler for that is installed, so that it runs on all of them. */
async function targetOfThisMachine() {
  const host = /^host: (\S+)$/m.exec(await asked("rustc", ["-vV"], { cwd: root }))[1];
  const musl = host.replace("-linux-gnu", "-linux-musl");
  if (musl === host || (await asked(MUSL, ["--version"]))) return musl;
  console.log(
    `${MUSL} was not found: what is made needs a glibc as new as this machine's (apt-get install musl-tools)`,
  );
  return host;
}

async function buildWorker() {
  const args = [inRoot("src/build/build.mjs"), "--out", WORKER];
  const code = await shown(process.execPath, args, { cwd: root, env: { WRANGLER_COMMAND: "" } });
  if (code !== 0) throw new Failure("the Worker was not built");
}

/** The command line with the Worker inside; no path of this machine is in it. */
async function buildProgram(target, seconds) {
  const env = {
    COUNTERSIGN_WORKER: WORKER,
    CARGO_ENCODED_RUSTFLAGS: REMAPPED.join("\x1f"),
    CARGO_PROFILE_RELEASE_STRIP: "symbols",
    ...cCompiler(target),
    SOURCE_DATE_EPOCH: String(seconds),
  };
  const args = [
    "build",
    "--locked",
    "--release",
    "--bin",
    PROGRAM,
    "--target",
    target,
    "--target-dir",
    inRoot("target"),
  ];
  await step(`${PROGRAM} for ${target}`, "cargo", args, { cwd: root, env });
  return inRoot("target", target, "release", fileName(target));
}

/** What the build scripts of crates with C in them ask for. */
function cCompiler(target) {
  const of = (variable) => `${variable}_${target.replaceAll("-", "_")}`;
  // only for the machine's own processor, as is the one that Debian installs
  const isOwn = { x64: "x86_64", arm64: "aarch64" }[process.arch] === target.split("-")[0];
  const compiler = isOwn && target.endsWith("-linux-musl") ? { [of("CC")]: process.env[of("CC")] ?? MUSL } : {};
  return { ...compiler, ...cFlags(of) };
}

async function release(out, { version, target, binary, seconds }) {
  const name = `${PROGRAM}-${version}-${target}`;
  mkdirSync(out, { recursive: true });
  const list = await sbom({ target, binary, wasm: path.join(WORKER, "countersign_bg.wasm"), seconds });
  writeFileSync(path.join(out, `${name}.cdx.json`), list);
  const staging = mkdtempSync(inRoot("target/staging-"));
  try {
    await stage(path.join(staging, name), target, binary);
    const programs = [fileName(target)];
    await archive(staging, name, path.join(out, `${name}.tar.gz`), { programs, seconds });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  writeSums(out);
  for (const file of [`${name}.tar.gz`, `${name}.cdx.json`, SUMS])
    console.log(path.join(path.relative(root, out), file));
}

async function stage(folder, target, binary) {
  mkdirSync(folder);
  copyFileSync(binary, path.join(folder, fileName(target)));
  for (const name of DOCUMENTS) copyFileSync(inRoot(name), path.join(folder, name));
  await addHelp(folder, path.join(folder, fileName(target)));
}

/** Completions and man pages, where the program runs on this machine and makes them. */
async function addHelp(folder, program) {
  if (!(await asked(program, ["--version"])))
    return console.log("made for another machine: without completions and man pages");
  if (await asked(program, ["completions", "--help"])) {
    mkdirSync(path.join(folder, "completions"));
    for (const [shell, file] of Object.entries(COMPLETIONS)) {
      writeFileSync(path.join(folder, "completions", file), execFileSync(program, ["completions", shell]));
    }
  }
  if (await asked(program, ["man", "--help"])) {
    mkdirSync(path.join(folder, "man"));
    await step("man pages", program, ["man", path.join(folder, "man")]);
  }
}

/** Of all that is in the folder: archives for further platforms may have been made before. */
function writeSums(out) {
  const names = readdirSync(out)
    .filter((name) => name !== SUMS)
    .sort();
  const line = (name) => `${sha256(readFileSync(path.join(out, name)))}  ${name}\n`;
  writeFileSync(path.join(out, SUMS), names.map(line).join(""));
}

const fileName = (target) => (target.includes("windows") ? `${PROGRAM}.exe` : PROGRAM);
