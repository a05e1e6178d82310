// The parts of `npm run release` that take no minutes: archives of the same bytes, and the list of what is inside.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { archive } from "../../src/build/archive.mjs";
import { cFlags } from "../../src/build/paths.mjs";
import { sbom } from "../../src/build/sbom.mjs";
import { inRoot, root, sha256 } from "../../src/build/tools.mjs";
import { temporaryFolder } from "./harness/processes.mjs";

const SECONDS = 1_795_262_400; // 2026-11-21 12:00 UTC

test("the same files make the same archive in another folder, in another order, at another time", async () => {
  const files = { countersign: "a program", "README.md": "words", "man/countersign.1": "more words" };
  const packed = async (names, mode, time) => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, "shop/man"), { recursive: true });
    for (const name of names) {
      writeFileSync(path.join(folder, "shop", name), files[name], { mode });
      utimesSync(path.join(folder, "shop", name), time, time);
    }
    const file = path.join(folder, "shop.tar.gz");
    await archive(folder, "shop", file, { programs: ["countersign"], seconds: SECONDS });
    return file;
  };
  const one = await packed(Object.keys(files), 0o600, 1_000_000_000);
  const other = await packed(Object.keys(files).reverse(), 0o777, 1_700_000_000);
  assert.ok(readFileSync(one).equals(readFileSync(other)));
  const listed = execFileSync("tar", ["-tvzf", one], {
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
  });
  assert.deepEqual(
    listed
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, 10), line.split(" ").at(-1)]),
    [
      ["-rw-r--r--", "shop/README.md"],
      ["-rwxr-xr-x", "shop/countersign"],
      ["-rw-r--r--", "shop/man/countersign.1"],
    ],
  );
  assert.equal(execFileSync("tar", ["-xOzf", one, "shop/countersign"], { encoding: "utf8" }), files.countersign);
});

test("the flags for the C compiler stay whole where a folder's name has spaces and quotes", () => {
  const flags = cFlags((variable) => `${variable}_musl`, { root: "/home/o'brien/my  shop, $1/", cargo: "/c argo" });
  const words = execFileSync("sh", ["-c", `printf '%s\\n' ${flags.CFLAGS_musl}`], { encoding: "utf8" });
  assert.deepEqual(words.trimEnd().split("\n"), [
    "-ffile-prefix-map=/c argo/registry/src=crates",
    "-ffile-prefix-map=/home/o'brien/my  shop, $1=.",
  ]);
  assert.equal(flags.CC_SHELL_ESCAPED_FLAGS, "1");
});

test("the list of what is inside names the crates of the command line and of the Worker, with their hashes", async () => {
  const folder = temporaryFolder();
  const [binary, wasm] = ["countersign", "countersign_bg.wasm"].map((name) => path.join(folder, name));
  writeFileSync(binary, "a program");
  writeFileSync(wasm, "a module");
  const made = () => sbom({ target: host(), binary, wasm, seconds: SECONDS });
  const text = await made();
  assert.equal(await made(), text);

  const list = JSON.parse(text);
  assert.deepEqual(
    [list.bomFormat, list.specVersion, list.metadata.timestamp],
    ["CycloneDX", "1.6", "2026-11-21T12:00:00.000Z"],
  );
  const main = list.metadata.component;
  assert.equal(main.hashes[0].content, sha256("a program"));
  const scopeOf = (name) => list.components.find((each) => each.name === name)?.scope;
  for (const name of ["clap", "wasm-bindgen", "worker", "sha2", "countersign-core", "rust-std"]) {
    assert.equal(scopeOf(name), "required", name);
  }
  for (const name of ["syn", "serde_derive", "wasm-bindgen-cli", "esbuild", "binaryen"]) assert.equal(scopeOf(name), "excluded", name);
  for (const name of ["proptest", "trycmd", "wrangler"]) assert.equal(scopeOf(name), undefined, name);

  const worker = list.components.find(({ name }) => name === "countersign-worker");
  assert.equal(worker.hashes[0].content, sha256("a module"));
  const needs = new Map(list.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  assert.ok(needs.get(main["bom-ref"]).includes(worker["bom-ref"]));
  const refs = [main, ...list.components].map((each) => each["bom-ref"]);
  assert.deepEqual([...needs.keys()].sort(), [...new Set(refs)].sort());
  for (const ref of [...needs.values()].flat()) assert.ok(refs.includes(ref), ref);

  const lock = readFileSync(inRoot("Cargo.lock"), "utf8");
  const [, version, checksum] = /name = "clap"\nversion = "(.+)"\nsource = .+\nchecksum = "(.+)"/.exec(lock);
  const clap = list.components.find(({ name }) => name === "clap");
  assert.deepEqual([clap.purl, clap.hashes], [`pkg:cargo/clap@${version}`, [{ alg: "SHA-256", content: checksum }]]);
  const bare = list.components.filter(({ hashes }) => !hashes).map(({ name }) => name);
  assert.deepEqual(bare, ["countersign-core", "rust-std", "wasm-bindgen-cli"]);
});

const host = () => /^host: (\S+)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8", cwd: root }))[1];
