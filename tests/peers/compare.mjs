// Compares what became of each test without the Worker and through it.

const MISSING = { outcome: "does not run", why: "", exchanges: 0, resigned: 0 };

/**
 * `without` and `through` are `{id: {outcome, why, exchanges, resigned}}`, `listed` is `{id: reason}`. Of what differs,
 * `listed` has a reason and `unlisted` none; `outdated` has a reason and does not differ.
 */
export function compared(without, through, reasons) {
  const ids = [...new Set([...Object.keys(without), ...Object.keys(through)])];
  const differing = ids
    .map((test) => ({ test, before: without[test] ?? MISSING, after: through[test] ?? MISSING }))
    .filter(({ before, after }) => before.outcome !== after.outcome)
    .map(({ test, before, after }) => ({ test, before: before.outcome, after: after.outcome, why: after.why }));
  const isListed = ({ test }) => test in reasons;
  return {
    total: ids.length,
    crossing: ids.filter((test) => through[test]?.exchanges > 0).length,
    resigned: ids.reduce((sum, test) => sum + (through[test]?.resigned ?? 0), 0),
    same: ids.length - differing.length,
    failing: ids.filter((test) => without[test]?.outcome === "fails" && through[test]?.outcome === "fails").length,
    listed: differing.filter(isListed).map((it) => ({ ...it, reason: reasons[it.test] })),
    unlisted: differing.filter((it) => !isListed(it)),
    outdated: Object.keys(reasons).filter((test) => !differing.some((it) => it.test === test)),
  };
}
