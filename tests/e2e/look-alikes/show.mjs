// Failures as text, with the exact bytes.

/** Requests by trick, a few of each, with what a parser read where that is told. */
export function list(requests, reading = () => undefined) {
  const kinds = new Map();
  for (const request of requests) kinds.set(request.trick, [...(kinds.get(request.trick) ?? []), request]);
  const lines = [`${requests.length} headers`];
  for (const [trick, kind] of kinds) {
    lines.push(`${trick} (${kind.length}):`);
    for (const request of kind.slice(0, 3)) {
      lines.push(shown(request));
      const pairs = reading(request);
      if (pairs) lines.push(`    read     ${JSON.stringify(pairs)}`);
    }
  }
  return lines.join("\n");
}

const shown = ({ name, status, headers, arrived }) =>
  [`  ${name}, ${status}`, `    sent     ${escaped(headers)}`, `    arrived  ${arrived ? escaped(arrived) : "not at all"}`].join("\n");

const escaped = (headers) =>
  headers.map((text) => text.slice(0, LONGEST).replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)).join("  and  ") || "no Cookie header";

const LONGEST = 600;
