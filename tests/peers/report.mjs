// What `npm run peers -- --record` writes.

/** RESULTS.md of all suites. */
export function results(compares) {
  return [
    "# Suites of other projects through the Worker",
    "Written by `npm run peers -- --record`. Each suite runs twice: without the Worker, and with workerd and the " +
      "built Worker between its client and its site. *Through* are tests that sent something through it, *re-signed* " +
      "how many Cookie and Set-Cookie headers it wrote anew. *Failing* are tests that fail here both times, and " +
      "count as the same.",
    table(compares),
    ...compares.map(differences).filter(Boolean),
  ].join("\n\n") + "\n";
}

function table(compares) {
  const rows = compares.map(({ title, total, crossing, resigned, same, failing, listed, unlisted }) =>
    `| ${[title, total, crossing, resigned, same, failing, listed.length, unlisted.length].join(" | ")} |`,
  );
  const head = ["suite", "tests", "through", "re-signed", "the same", "failing", "differ as listed", "new"];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rows].join("\n");
}

function differences({ title, listed }) {
  if (listed.length === 0) return "";
  const byReason = Map.groupBy(listed, ({ reason }) => reason);
  const parts = [...byReason].map(([reason, tests]) =>
    [reason, "", ...tests.map(({ test }) => `- \`${test}\``)].join("\n"),
  );
  return [`## ${title}: what differs`, ...parts].join("\n\n");
}
