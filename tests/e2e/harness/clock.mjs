// The clock of workerd where the tests run under faketime (tests/clock.mjs).
//
// Its allocator starts with calls that libfaketime answers by allocating, and waits for itself for ever: so workerd
// runs without libfaketime, and a module before the Worker's own shifts what JavaScript, and so wasm, has as the time.
import fs from "node:fs/promises";
import path from "node:path";
import { ownShift } from "../../clock.mjs";

/** An environment without libfaketime. */
export const realClock = ({ LD_PRELOAD: _linux, DYLD_INSERT_LIBRARIES: _mac, ...env }) => env;

/**
 * The modules of a Worker, the main one first, with one that sets their clock to the one of the tests, and so many
 * seconds ahead.
 */
export async function atThisClock(modules, folder, ahead = 0) {
  const shift = ownShift() + ahead * 1000;
  if (shift === 0) return modules;
  await fs.writeFile(path.join(folder, NAME), entry(modules[0], shift));
  return [NAME, ...modules];
}

const NAME = "shifted.js";

const entry = (main, shift) => `
export * from "./${main}";
export { default } from "./${main}";
const { now } = Date;
Date.now = () => now() + ${shift};
`;
