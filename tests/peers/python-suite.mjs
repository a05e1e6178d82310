// What suites in Python share: their source from PyPI, and a run of one.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Failure, step } from "../../src/build/progress.mjs";
import { inRoot, venv } from "../../src/build/tools.mjs";

/** The Python that has every framework of the suites. */
export const pythonOfPeers = () => venv("peers", inRoot("tests/peers/requirements.txt"));

/** The folder of a package's source distribution, which holds its tests; `unpacked` is its name in the archive. */
export async function source(python, { name, version, sha256, unpacked }) {
  const into = inRoot("target/peers");
  const folder = `${into}/${unpacked}`;
  if (existsSync(folder)) return folder;
  const pinned = `${folder}.txt`;
  writeFileSync(pinned, `${name}==${version} --hash=sha256:${sha256}\n`);
  const kind = ["--no-deps", "--no-binary", ":all:"];
  const pip = ["-m", "pip", "download", "--require-hashes", ...kind, "-r", pinned, "-d", into];
  await step(`source of ${name} ${version}`, python, pip);
  await step("unpack it", "tar", ["-xzf", `${folder}.tar.gz`, "-C", into]);
  return folder;
}

/**
 * Runs a suite, which writes its outcomes to `file`. One in which tests fail ends with 1, like one that does not run:
 * so what counts is whether it has written any.
 */
export async function outcomes(label, python, args, file, { cwd, env }) {
  rmSync(file, { force: true });
  const command = ["-c", '"$@" || test -s "$PEERS_OUTCOMES"', "sh", python, ...args];
  const ours = { PYTHONPATH: inRoot("tests/peers/python"), PYTHONDONTWRITEBYTECODE: "1", PEERS_OUTCOMES: file };
  await step(label, "sh", command, { cwd, env: { ...ours, ...env } });
  if (!existsSync(file)) throw new Failure(`${label}: no outcomes`);
  return JSON.parse(readFileSync(file, "utf8"));
}
