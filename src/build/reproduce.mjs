// Builds twice, here and in a copy in another folder, and compares the bytes (`npm run reproduce`): what a release holds
// must follow from the commit alone. `--release` compares all that `npm run release` makes, which takes minutes.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failure, asked, run, shown } from "./progress.mjs";
import { inRoot, npmPackages, root, sha256 } from "./tools.mjs";

const INSTALLED = ["node_modules", ".tools"];
const OPTIONS = { release: { type: "boolean", default: false } };

run(async () => {
  const { release } = parseArgs({ options: OPTIONS }).values;
  const script = release ? "release.mjs" : "build.mjs";
  const output = release ? "release" : "build";
  await npmPackages();
  const copy = path.join(mkdtempSync(path.join(tmpdir(), "countersign-")), "in a folder of another name");
  try {
    copyTo(copy);
    // a copy has no history to take the time from
    const seconds = (await asked("git", ["log", "-1", "--format=%ct"], { cwd: root })).trim();
    for (const folder of [root, copy]) {
      const code = await shown(process.execPath, [path.join(folder, "src/build", script)], {
        cwd: folder,
        env: { SOURCE_DATE_EPOCH: seconds, WRANGLER_COMMAND: "" },
      });
      if (code !== 0) throw new Failure(`the build in ${folder} failed`);
    }
    compare(path.join(root, output), path.join(copy, output));
  } finally {
    rmSync(path.dirname(copy), { recursive: true, force: true });
  }
});

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
  const files = readdirSync(there).filter((name) => statSync(path.join(there, name)).isFile());
  if (files.length === 0) throw new Failure("nothing was built");
  const sum = (folder, name) => sha256(readFileSync(path.join(folder, name)));
  for (const name of files.sort()) console.log(`${sum(there, name)}  ${name}`);
  const others = files.filter((name) => sum(here, name) !== sum(there, name));
  if (others.length > 0) throw new Failure(`other bytes from another folder: ${others.join(", ")}`, "src/build/paths.mjs");
  console.log(`reproduce: ${files.length} files, the same bytes from two folders`);
}
