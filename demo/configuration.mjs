// Hands wrangler.toml on to `wrangler dev` in a copy, so that each save is picked up once, whoever saves and however.
//
// wrangler's watcher (chokidar 4.0.1) follows the file's inode. An editor that saves by renaming gives the name another
// inode: the watcher compares the two and begins anew. Two saves at one moment give back the first inode, which the
// file system uses again: the watcher keeps to a file that is gone, and sees no save any more. A folder's watcher does.
// So the folder is watched here, and the copy is always written in place. A save that changes no byte is none.
import { mkdirSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from "node:fs";
import path from "node:path";

export const CONFIGURATION = "wrangler.toml";
export const SECRETS = ".dev.vars";
const QUIET_MS = 60; // an editor's save is several events

/**
 * Copies `folder`/wrangler.toml into the folder `into`, now and after each save of it or of .dev.vars; both are read anew.
 * `prepare` is called before each copy, `reloaded` after each but the first: what it returns is waited for before the
 * next one, since wrangler loses a change that comes while it loads the one before. Returns `{file, close}`.
 */
export function copyEachSave({ folder, into, prepare, reloaded }) {
  const file = path.join(into, CONFIGURATION);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  symlinkSync(path.join(folder, SECRETS), path.join(into, SECRETS)); // no second file with secrets
  let copied;
  let isReloading = false;
  const copy = () => {
    prepare();
    copied = savedIn(folder);
    writeFileSync(file, withLedger(withoutBuild(copied.configuration)));
  };
  const copyIfSaved = async () => {
    if (isReloading) return;
    isReloading = true;
    while (isSave(savedIn(folder), copied)) {
      copy();
      await reloaded();
    }
    isReloading = false;
  };
  copy();
  return { file, close: eachEvent(folder, copyIfSaved) };
}

// Some editors take the file away or empty it before they write it: what follows is another event.
function isSave(saved, copied) {
  if (!saved?.configuration.trim()) return false;
  return saved.configuration !== copied.configuration || saved.secrets !== copied.secrets;
}

function eachEvent(folder, work) {
  let timer;
  const watcher = watch(folder, { persistent: false }, (_, name) => {
    if (name !== null && name !== CONFIGURATION && name !== SECRETS) return;
    clearTimeout(timer);
    timer = setTimeout(work, QUIET_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

function savedIn(folder) {
  try {
    const [configuration, secrets] = [CONFIGURATION, SECRETS].map((name) =>
      readFileSync(path.join(folder, name), "utf8"),
    );
    return { configuration, secrets };
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

/** The Worker is built already: wrangler would build it again at each save. Every line keeps its number. */
function withoutBuild(toml) {
  return toml.replace(/^\[build\][^\n]*(?:\n(?!\s*\[)[^\n]*)*/m, (table) => table.replace(/^/gm, "# "));
}

/** With the ledger, so that the dashboard beside the demo shows which key is still in use. It comes last. */
function withLedger(toml) {
  return /^\s*name\s*=\s*"LEDGER"/m.test(toml) ? toml : `${toml}\n${LEDGER}`;
}

const LEDGER = `[[durable_objects.bindings]]
name = "LEDGER"
class_name = "Ledger"

[[migrations]]
tag = "ledger"
new_sqlite_classes = ["Ledger"]
`;
