// `.dev.vars` and `.env` are read byte for byte as wrangler reads them: held against the dotenv that it bundles.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import vm from "node:vm";
import { answerOf } from "./harness/verdict.mjs";
import { randomness } from "./harness/fleet.mjs";
import { temporaryFolder } from "./harness/processes.mjs";

const require = createRequire(import.meta.url);
const dotenv = require("dotenv");
const { expand } = require("dotenv-expand");

test("the dotenv of these tests is the one that wrangler bundles", () => {
  const bundle = readFileSync(require.resolve("../../node_modules/wrangler/wrangler-dist/cli.js"), "utf8");
  for (const name of ["dotenv", "dotenv-expand"]) {
    const { version } = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), "utf8"));
    assert.ok(bundle.includes(`/${name}@${version}/node_modules/${name}/lib/main.js`), `${name} ${version}`);
  }
});

test("20,000 random files are read as dotenv reads them", async () => {
  const files = [...WRITTEN, ...randomFiles(20_000, "dev-vars", HARD)];
  const read = await readings(files);
  const different = files.filter((file, at) => !isSame(read[at].variables, dotenv.parse(file)));
  assert.deepEqual(different.map((file) => JSON.stringify(file)), []);
  const found = read.map(({ variables }) => Object.values(variables)).flat();
  assert.ok(found.length > 20_000, `${found.length} variables`);
  assert.ok(found.filter((value) => /['"`\\#]/.test(value)).length > 5_000, "the values are hard ones");
  for (const [at, file] of files.entries()) {
    const lines = file.replace(/\r\n?/g, "\n").split("\n");
    for (const [line, name] of read[at].lines) assert.ok(lines[line - 1].includes(name), JSON.stringify(file));
  }
});

test("20,000 random files are expanded as dotenv-expand expands them", async () => {
  const files = [...EXPANDED, ...randomFiles(20_000, "dot-env", EXPANDING)];
  const read = await readings(files);
  const endless = files.filter((_, at) => read[at].expanded === null);
  const ended = files.flatMap((file, at) => (read[at].expanded ? [[file, read[at].expanded]] : []));
  const expected = expansionsOf(ended.map(([file]) => file));
  const different = ended.filter(([, expanded], at) => !isSame(expanded, expected[at]));
  assert.deepEqual(different.map(([file]) => JSON.stringify(file)), []);
  assert.ok(endless.length < files.length / 50, `${endless.length} without end`);
  const isEndless = { code: "ERR_SCRIPT_EXECUTION_TIMEOUT" };
  assert.throws(() => expansionsOf(endless.slice(0, 1)), isEndless, JSON.stringify(endless[0]));
  const changed = ended.filter(([file, expanded]) => !isSame(expanded, dotenv.parse(file)));
  assert.ok(changed.length > 5_000, `${changed.length} were changed by it`);
});

test("of all files that may be there, those count that count for wrangler", async () => {
  const { unstable_getVarsForDev: varsForDev } = require("../../node_modules/wrangler");
  const repository = temporaryFolder();
  const config = path.join(repository, "wrangler.toml");
  writeFileSync(config, readFileSync(new URL("../cli/check-dot-env.in/wrangler.toml", import.meta.url)));
  for (let chosen = 0; chosen < 2 ** FILES.length; chosen += 1) {
    for (const [at, name] of FILES.entries()) {
      const file = path.join(repository, name);
      // its length tells which file it is from
      if (chosen & (1 << at)) writeFileSync(file, `KEY_2026_11=${"x".repeat(at + 1)}\n`);
      else rmSync(file, { force: true });
    }
    for (const env of [undefined, "staging"]) {
      const expected = varsForDev(config, undefined, {}, env, true).KEY_2026_11?.value.length;
      const found = await keyLength(config, env);
      assert.equal(found, expected, `${FILES.filter((_, at) => chosen & (1 << at))}, environment ${env}`);
    }
  }
});

/** How long the key is that the command line knows. */
async function keyLength(config, env) {
  const { findings } = await answerOf("countersign", ["check", "--json", "--config", config, ...(env ? ["--env", env] : [])]);
  // the same line counts for the other environment, too, so only what is found in this one is looked at
  const own = findings.filter(({ environment }) => (environment ?? undefined) === env);
  const lengths = own.flatMap(({ path, reason }) => /^has (\d+) characters/.exec(path === "KEY_2026_11" ? reason : "")?.[1] ?? []);
  return lengths.length ? Number(lengths[0]) : undefined;
}

const FILES = [".env", ".env.local", ".env.staging", ".env.staging.local", ".dev.vars", ".dev.vars.staging"];

/** What the command line reads in each. */
const readings = (files) => answerOf("examples/dotenv", [], files.map((file) => JSON.stringify(file)).join("\n"));

/** What dotenv-expand makes of each, as wrangler calls it where its own environment does not count. It may hang. */
function expansionsOf(files) {
  const box = vm.createContext({ expand });
  const script = new vm.Script("given.map((parsed) => expand({ parsed, processEnv: {} }).parsed)");
  const some = (at) => {
    box.given = files.slice(at, at + 500).map((file) => dotenv.parse(file));
    return script.runInContext(box, { timeout: 2_000 });
  };
  return Array.from({ length: Math.ceil(files.length / 500) }, (_, at) => some(at * 500)).flat();
}

const isSame = (one, other) => {
  const names = Object.keys(other);
  return names.length === Object.keys(one).length && names.every((name) => one[name] === other[name]);
};

/** Lines of which most set something, and files of up to six of them. */
function randomFiles(count, seed, alphabet) {
  const random = randomness(seed);
  const below = (most) => Math.floor(random() * most);
  const any = (list) => list[below(list.length)];
  const some = (list, most) => Array.from({ length: below(most + 1) }, () => any(list)).join("");
  const line = () => any(BEGINNINGS) + any(NAMES) + any(SEPARATORS) + some(alphabet, 10) + any(ENDS);
  const noise = () => some(alphabet, 6) + any(ENDS);
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + below(6) }, () => (below(8) ? line() : noise())).join(""),
  );
}

const BEGINNINGS = ["", "", "", "", " ", "\t", "export ", "export\t", "export\n", "\ufeff", "\u0085", "#", "export"];
const NAMES = ["A", "B", "C", "KEY_1", "a.b", "A-B", "1", "0", "12", ".", "Ä"];
const SEPARATORS = ["=", "=", "=", "=", " = ", "= ", ": ", ":", " : ", "\t=\t", "", " ", "=\n", "=\u00a0"];
const ENDS = ["\n", "\n", "\n", "\r\n", "\r", "", " # x\n", "#x\n", "\n\n", "\u2028", "\u2029", " \n"];
const HARD = [
  ..."'''\"\"\"``##\\\\ab =:",
  ..."\t\u00a0\u0085\ufeff\u2028\u{1f511}é",
  ...["\n", "\r", "\r\n", "\\n", "\\r", "\\'", '\\"', "\\`", "''", '""', "it's", " #", "export ", "A="],
];
const EXPANDING = [
  ..."$$$$\\{}ABC'\"#-+:",
  ...["${A}", "${B:-x}", "${C-y}", "${A:+z}", "${B+w}", "$A", "$B", "\\$", "\\$A", "$1", "${", "$$", "null", "$&"],
];

/** What people write. */
const WRITTEN = [
  "A='it's so'",
  "A=it's",
  'A="it\'s"',
  'A="say \\"so\\""',
  'A="b\\"',
  "A='b\\'",
  "A=b\\",
  "\ufeffA=b",
  "export A=b",
  "A: b",
  "A:b",
  "A=b\rB=c\r",
  "a.b=c",
  "A='b' # c",
  "A=b#c",
  "A='b\nc'\nB=d",
  "A='b\nB=c'd'",
  "A=\n'b'",
  "A=''b''",
  "A=\nB=c",
];
const EXPANDED = ["A=pa$$word", "A=b$1", "A=b\nB=$A", "A='$B'\nB=c", "A=\\$B", "B=x\nA=${B:-$C}", "A=$xnully"];
