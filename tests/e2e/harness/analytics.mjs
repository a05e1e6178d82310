// Stands in for Analytics Engine: takes data points from the runtime, and answers the one question asked of them.
import { rawOrigin } from "./raw-origin.mjs";

/** An engine on a port of its own. */
export async function analytics(t) {
  let points = [];
  let wake = () => {};
  const engine = await rawOrigin(t, ({ body }) => {
    points.push(JSON.parse(body.toString()));
    wake();
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  });
  return {
    port: engine.port,
    /** As after the days that a question goes back. */
    forget: () => (points = []),
    /** Waits until it has heard of a use. */
    async hears() {
      while (points.length === 0) await new Promise((resolve) => (wake = resolve));
    },
    /** The answer to a question that groups uses by index and first blob. */
    answer(sql) {
      if (!ASKED.test(sql)) throw new Error(`what is asked of Analytics Engine is another thing: ${sql}`);
      const uses = new Map();
      for (const { index1, blob1, double1 } of points) {
        const group = JSON.stringify([text(index1), text(blob1)]);
        uses.set(group, (uses.get(group) ?? 0) + double1);
      }
      const rows = [...uses].map(([group, uses]) => [...JSON.parse(group), String(uses)]);
      return { data: rows.map(([index1, blob1, uses]) => ({ index1, blob1, uses })) };
    },
  };
}

const text = (value) => (typeof value === "string" ? value : Buffer.from(value ?? []).toString());

const ASKED = new RegExp(
  "^SELECT index1, blob1, SUM\\(_sample_interval \\* double1\\) AS uses FROM \"countersign\" " +
    "WHERE timestamp > NOW\\(\\) - INTERVAL '\\d+' DAY GROUP BY index1, blob1 FORMAT JSON$",
);
