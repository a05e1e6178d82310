// What `npm run peers -- --record` writes.

/** RESULTS.md of all suites. */
export function results(compares) {
  return [
    "# Suites of other projects through the Worker",
    "Written by `npm run peers -- --record`. Each suite runs twice: without the Worker, and with workerd and the built " +
      "Worker between its client and its site. *Through* are tests that sent something through it, *re-signed* how many " +
      "Cookie and Set-Cookie headers it wrote anew. Of those that are the same, some fail both times (*failing*): a setting " +
      "of this suite, or the age of its tests.",
    table(compares),
    ...compares.map(differences).filter(Boolean),
  ].join("\n\n") + "\n";
}

function table(compares) {
  const rows = compares.map(({ title, total, crossing, resigned, same, failing, listed, unlisted }) =>
    `| ${[title, total, crossing, resigned, same, failing, listed.length, unlisted.length].join(" | ")} |`,
  );
  return ["| suite | tests | through | re-signed | the same | failing | differ as listed | new |", `|${" --- |".repeat(8)}`, ...rows].join("\n");
}

function differences({ title, listed }) {
  if (listed.length === 0) return "";
  const byReason = Map.groupBy(listed, ({ reason }) => reason);
  const parts = [...byReason].map(([reason, tests]) => [`${reason}`, "", ...tests.map(({ test }) => `- \`${test}\``)].join("\n"));
  return [`## ${title}: what differs`, ...parts].join("\n\n");
}
