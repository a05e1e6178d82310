// What goes wrong around the requests of the soak: a process is killed, the origin is down, the ledger's object fails.
import { KILLED } from "./world.mjs";

/** Has something go wrong every few hundred requests, until the run is over. */
export async function misfortunes({ slots, door, world, random }) {
  const kinds = Object.keys(MISFORTUNES);
  for (let turn = 0; !world.isOver; turn += 1) {
    await world.after(250 + Math.floor(random() * 500));
    const kind = kinds[turn % kinds.length];
    const slot = slots[Math.floor(random() * slots.length)];
    if (kind === KILLED && world.isQuiet) continue;
    if (slot.version.config) await MISFORTUNES[kind]({ kind, slot, door, world });
  }
}

const MISFORTUNES = {
  [KILLED]: async ({ kind, slot, world }) => {
    world.fault(kind).times += 1;
    await slot.kill(() => world.excuse(kind, slot.underWay)());
  },
  "origin is down": async ({ kind, door, world }) => {
    world.fault(kind).times += 1;
    const end = world.excuse(kind);
    await door.down(150);
    end();
  },
  "the ledger's object fails": async ({ kind, slot, world }) => {
    if (!(await slot.alone(() => slot.failLedger(true)))) return;
    world.fault(kind).times += 1;
    await world.after(300);
    await slot.alone(() => slot.isLedgerFailing && slot.failLedger(false));
  },
};
