// What must never appear in a log: key bytes and cookie values, gathered while a test runs.
import assert from "node:assert/strict";

const found = new Set();

/** Marks a key or a cookie value; of a signed value each part counts for itself. */
export function sensitive(value) {
  const parts = [value, ...value.split(":")].map((part) => part.replaceAll('"', ""));
  for (const part of parts) if (part.length >= SHORTEST) found.add(part);
}

/** Marks every value of a Cookie header. */
export function sensitiveCookies(header) {
  for (const pair of header.split("; ")) sensitive(pair.slice(pair.indexOf("=") + 1));
}

export function assertNoLeak(log) {
  for (const value of found) {
    assert.ok(
      !log.includes(value),
      `a log holds a key or a cookie value that begins with ${value.slice(0, 4)}:\n${log}`,
    );
  }
}

// shorter texts occur in log lines by accident
const SHORTEST = 10;
