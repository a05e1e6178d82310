// Archives that are the same bytes wherever and whenever they are made: a fixed order, one time, nobody's files.
import { chmodSync, readdirSync } from "node:fs";
import path from "node:path";

const PROGRAM = 0o755;
const TEXT = 0o644;

/** Packs the folder `name` of `parent` into `file`, a .tar.gz; `programs` may be executed, all bear `seconds`. */
export async function archive(parent, name, file, { programs, seconds }) {
  const { create } = await import("tar"); // which is installed by now
  const entries = readdirSync(path.join(parent, name), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  for (const file of files) chmodSync(file, programs.includes(path.basename(file)) ? PROGRAM : TEXT);
  const names = files.map((file) => path.relative(parent, file)).sort();
  // `portable` leaves out owners and what else only this machine knows
  const same = { portable: true, mtime: new Date(seconds * 1000), noDirRecurse: true };
  await create({ cwd: parent, file, gzip: { level: 9 }, ...same }, names);
}
