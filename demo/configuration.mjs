// Hands wrangler.toml on to `wrangler dev` in a copy, so that each save is picked up once, whoever saves and however.
//
// wrangler's watcher (chokidar) follows the file's inode. An editor that saves by renaming gives the name another inode:
// the watcher has to notice and to start anew, and what is saved in between is lost. A folder's watcher has no such gap.
// So the folder is watched here, and the copy is always written in place. A save that changes no byte is none.
import { mkdirSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from "node:fs";
import path from "node:path";

export const CONFIGURATION = "wrangler.toml";
export const SECRETS = ".dev.vars";
const QUIET_MS = 60; // an editor's save is several events

/**
 * Copies `folder`/wrangler.toml into the folder `into`, now and after each save of it or of .dev.vars; both are read anew.
 * `prepare` is called before each copy, and `onSave` after each but the first. Returns `{file, close}`.
 */
export function copyEachSave({ folder, into, prepare, onSave }) {
  const file = path.join(into, CONFIGURATION);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  symlinkSync(path.join(folder, SECRETS), path.join(into, SECRETS)); // no second file with secrets
  let copied;
  const copy = () => {
    prepare();
    copied = savedIn(folder);
    writeFileSync(file, withoutBuild(copied.configuration));
  };
  const copyIfSaved = () => {
    const saved = savedIn(folder);
    // Some editors take the file away or empty it before they write it: what follows is another event.
    if (!saved?.configuration.trim()) return;
    if (saved.configuration === copied.configuration && saved.secrets === copied.secrets) return;
    copy();
    onSave();
  };
  copy();
  return { file, close: eachEvent(folder, copyIfSaved) };
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
    const [configuration, secrets] = [CONFIGURATION, SECRETS].map((name) => readFileSync(path.join(folder, name), "utf8"));
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
