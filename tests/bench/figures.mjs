// Least, median and spread of many measurements, and how they are written.

/** Least, median, and the distance between the quartiles. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => quantile(sorted, part);
  return { least: sorted[0], median: at(0.5), spread: at(0.75) - at(0.25) };
}

function quantile(sorted, part) {
  const place = (sorted.length - 1) * part;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** The rows of a Markdown table; the columns behind the first are figures. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, at) => (at ? "---:" : "---"))), ...rows.map(line)].join("\n");
}

export const fixed = (digits) => (number) => number.toFixed(digits);
