// The list of what is inside a release (SBOM), in CycloneDX 1.6: the crates of the command line and of the Worker that
// it carries (scope "required"), and what only takes part in making them (scope "excluded").
//
// cargo says which crates these are on one platform, Cargo.lock their hashes. `cargo cyclonedx` would make two lists of
// all platforms, and `npm sbom` one of packages of which nothing is inside.
import { readFileSync } from "node:fs";
import { Failure, asked } from "./progress.mjs";
import { WASM, inRoot, root, sha256 } from "./tools.mjs";

const COMMAND_LINE = "countersign";
const WORKER = "countersign-worker";
const INSIDE = "normal,no-proc-macro";
const TAKES_PART = "normal,build";
// What makes the Worker's two files of what rustc makes.
const NPM_TOOLS = ["binaryen", "esbuild"];

/** The list as text; `binary` and `wasm` are files of the release, `seconds` is the time that it bears. */
export async function sbom({ target, binary, wasm, seconds }) {
  const files = { [COMMAND_LINE]: binary, [WORKER]: wasm };
  const targets = { [COMMAND_LINE]: target, [WORKER]: WASM };
  const { packages, resolve } = JSON.parse(await cargo("metadata", "--format-version", "1"));
  const inside = await crates(targets, INSIDE);
  const present = new Set([...inside, ...(await crates(targets, TAKES_PART))]);
  const listed = packages.filter((crate) => present.has(nameOf(crate))).sort((a, b) => order(refOf(a), refOf(b)));
  const hashes = checksums();
  const components = listed.map((crate) => {
    const file = files[crate.name];
    const hash = file ? sha256(readFileSync(file)) : hashes.get(nameOf(crate));
    const scope = inside.has(nameOf(crate)) ? "required" : "excluded";
    return { type: file ? "application" : "library", ...described(crate, hash), scope };
  });
  const others = [await standardLibrary(), glueMaker(listed), ...npmTools()];
  const of = (name) => components.find((each) => each.name === name);
  const main = { ...of(COMMAND_LINE), properties: [{ name: "target", value: target }] };
  const needs = edges(listed, resolve.nodes, of(WORKER)["bom-ref"]);
  return text({
    metadata: { timestamp: new Date(seconds * 1000).toISOString(), component: main },
    components: [...components.filter((each) => each.name !== COMMAND_LINE), ...others],
    dependencies: [...needs, ...others.map((each) => ({ ref: each["bom-ref"] }))],
  });
}

/** The crates that both programs need by these kinds of edges, as `name@version`. */
async function crates(targets, kinds) {
  const trees = Object.entries(targets).map(([name, target]) =>
    cargo("tree", "--package", name, "--target", target, "--edges", kinds, "--prefix", "none", "--format", "{p}"),
  );
  const lines = (await Promise.all(trees)).join("\n").split("\n");
  return new Set(lines.map((line) => /^(\S+) v(\S+)/.exec(line)).map(([, name, version]) => `${name}@${version}`));
}

async function cargo(command, ...args) {
  const text = await asked("cargo", [command, "--locked", ...args], { cwd: root });
  if (text === null) throw new Failure(`cargo ${command} failed`, `cargo ${command} --locked`);
  return text;
}

function checksums() {
  const lock = readFileSync(inRoot("Cargo.lock"), "utf8");
  const entries = lock.matchAll(/name = "([^"]+)"\r?\nversion = "([^"]+)"\r?\nsource = .*\r?\nchecksum = "(\w+)"/g);
  return new Map([...entries].map(([, name, version, hash]) => [`${name}@${version}`, hash]));
}

function described(crate, hash) {
  const { name, version, license, repository } = crate;
  return {
    "bom-ref": refOf(crate),
    name,
    version,
    purl: refOf(crate),
    ...(hash && { hashes: [{ alg: "SHA-256", content: hash }] }),
    // older crates write "MIT/Apache-2.0"
    ...(license && { licenses: [{ expression: license.replace(/\s*\/\s*/g, " OR ") }] }),
    ...(repository && { externalReferences: [{ type: "vcs", url: repository }] }),
  };
}

/** Linked into both programs; cargo does not name it. */
async function standardLibrary() {
  const version = /\d+\.\d+\.\S+/.exec(await asked("rustc", ["--version"], { cwd: root }))[0];
  const ref = `pkg:generic/rust-std@${version}`;
  const licenses = [{ expression: "MIT OR Apache-2.0" }];
  return { type: "library", "bom-ref": ref, name: "rust-std", version, purl: ref, licenses, scope: "required" };
}

/** What writes the JavaScript around the Worker's wasm, of the version that Cargo.lock names; its own hash is not there. */
function glueMaker(listed) {
  const { version, license } = listed.find((crate) => crate.name === "wasm-bindgen");
  const ref = `pkg:cargo/wasm-bindgen-cli@${version}`;
  const about = { licenses: [{ expression: license }], scope: "excluded" };
  return { type: "application", "bom-ref": ref, name: "wasm-bindgen-cli", version, purl: ref, ...about };
}

function npmTools() {
  const { packages } = JSON.parse(readFileSync(inRoot("package-lock.json"), "utf8"));
  return NPM_TOOLS.map((name) => {
    const { version, license, integrity } = packages[`node_modules/${name}`];
    const ref = `pkg:npm/${name}@${version}`;
    const content = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    const about = { licenses: [{ expression: license }], hashes: [{ alg: "SHA-512", content }] };
    return { type: "application", "bom-ref": ref, name, version, purl: ref, ...about, scope: "excluded" };
  });
}

/** What each crate needs; the command line also needs the Worker, which it carries. */
function edges(listed, nodes, worker) {
  const refs = new Map(listed.map((crate) => [crate.id, refOf(crate)]));
  const node = new Map(nodes.map((each) => [each.id, each]));
  return listed.map((crate) => {
    const needed = node
      .get(crate.id)
      .dependencies.map((id) => refs.get(id))
      .filter(Boolean);
    if (crate.name === COMMAND_LINE) needed.push(worker);
    return { ref: refOf(crate), dependsOn: [...new Set(needed)].sort(order) };
  });
}

function text(list) {
  const digits = sha256(JSON.stringify(list));
  const groups = [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`, `8${digits.slice(17, 20)}`];
  const head = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${[...groups, digits.slice(20, 32)].join("-")}`, // the same list has the same
    version: 1,
  };
  return `${JSON.stringify({ ...head, ...list }, null, 2)}\n`;
}

const nameOf = ({ name, version }) => `${name}@${version}`;
const refOf = ({ name, version, source }) =>
  `pkg:${source ? "cargo" : "generic"}/${name}@${version.replaceAll("+", "%2B")}`;
const order = (a, b) => (a < b ? -1 : Number(a > b));
