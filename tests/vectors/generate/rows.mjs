// What the generators for npm's packages share: seeded randomness and clock, ways to spoil a text, and the file of rows.
import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const EARLIEST = 1_600_000_000;
const SPAN = 200_000_000;
const ALPHABETS = {
  text: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
  symbols: "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)",
};

export const SESSIONS = {
  empty: {},
  short: { user_id: 4711 },
  unicode: { näme: "Zoë 日本語 😀" },
  controls: { text: "\u0000\u001f\u2028\"\\;," },
  nested: { cart: [{ sku: "a", n: 2 }, { sku: "b", n: null }], f: 1.5, ok: true },
  long: { log: Array(60).fill("item") },
};

export const TEXTS = {
  empty: "",
  text: "plain text",
  dots: "..a.b.",
  symbols: "!#$&'()*+,/:;=?@[]\"\\|~",
  prefixes: "s:j:{}",
  unicode: "Zoë 日本語 😀",
  controls: "\u0000\u001f\t\r\n\u2028",
  escaped: "a%20b%2Fc%C3%A9",
  long: "item-".repeat(120),
};

const { values: options } = parseArgs({
  options: { out: { type: "string" }, seed: { type: "string", default: "1" }, packages: { type: "string" } },
});

/** Packages of the folder that run.py installed. */
export const require = createRequire(join(resolve(options.packages), "package.json"));

/** Bytes that depend on the seed and the row's id alone, so that a new row changes no other. */
export class Draw {
  constructor(rowId) {
    this.name = `${options.seed}:${rowId}`;
    this.count = 0;
  }
  bytes(length) {
    const blocks = [];
    for (let have = 0; have < length; have += 32) {
      blocks.push(createHash("sha256").update(`${this.name}:${this.count++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, length);
  }
  below(limit) {
    return this.bytes(6).readUIntBE(0, 6) % limit;
  }
  one(list) {
    return list[this.below(list.length)];
  }
  secret(length) {
    const alphabet = this.one(Object.values(ALPHABETS));
    return Array.from({ length }, () => this.one([...alphabet])).join("");
  }
  time() {
    return EARLIEST + this.below(SPAN);
  }
}

/** Runs `work` with the clock stopped at a time in Unix seconds. */
export async function at(seconds, work) {
  const { Date } = globalThis;
  globalThis.Date = class extends Date {
    constructor(...time) {
      super(...(time.length ? time : [seconds * 1000]));
    }
    static now = () => seconds * 1000;
  };
  try {
    return await work();
  } finally {
    globalThis.Date = Date;
  }
}

/** What is left of `values` once the one that equals `value` is out, after the framework has refused each. */
export async function tampered(value, values, accepts) {
  const others = [...new Set(values)].filter((other) => other !== value);
  for (const other of others) insist(!(await accepts(other)), `accepted though tampered: ${other}`);
  return others;
}

/** A text with one character changed in each of its parts, a part left out, a part doubled. */
export function spoiled(text, separator, draw) {
  const parts = text.split(separator);
  const joined = (changed, index) => parts.map((part, i) => (i === index ? changed : part)).join(separator);
  const found = parts.flatMap((part, i) => {
    const spot = draw.below(Math.ceil(part.length / 2) || 1); // not where base64 has unused bits
    const other = part[spot] === "A" ? "B" : "A";
    return [
      joined(part.slice(0, spot) + other + part.slice(spot + 1), i),
      parts.filter((_, at) => at !== i).join(separator),
      joined(part + separator + part, i),
    ];
  });
  return [...found, text.slice(0, -1), text.slice(1), `${text}A`, `x${text}`, ""];
}

export function insist(holds, fault) {
  if (!holds) throw new Error(fault);
}

export function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether run.py installed this package. */
export function installed(name) {
  return existsSync(join(resolve(options.packages), "node_modules", name));
}

/** The version of an installed package, whether or not it exports its package.json. */
export function version(name) {
  return require(join(resolve(options.packages), "node_modules", name, "package.json")).version;
}

export function save(name, rows) {
  insist(new Set(rows.map((row) => row.id)).size === rows.length, "two rows of one id");
  writeFileSync(join(options.out, `${name}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}
