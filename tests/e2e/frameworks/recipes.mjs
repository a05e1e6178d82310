// The rules to paste of docs/formats.md, each under the heading of its framework.
import { readFileSync } from "node:fs";

/**
 * The rule that stands under a heading; `name` is the cookie's where several do. `lasting` is the rule for a site that
 * sets a lifetime, where the document has one.
 */
export function recipe(heading, name) {
  const found = rulesUnder(heading).find((rule) => !name || rule.name === name);
  if (!found) throw new Error(`docs/formats.md has no rule ${name ?? ""} under "### ${heading}"`);
  const { lasting: attributes, ...rule } = found;
  return { rule, ...(attributes && { lasting: { ...rule, attributes } }) };
}

function rulesUnder(heading) {
  const section = DOCUMENT.split(/^### /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...section.matchAll(/^```toml\n(.*?)^```/gms)].map(([, block]) => block);
  return blocks.flatMap((block) => block.split("[[vars.COUNTERSIGN.cookies]]").slice(1)).map(fields);
}

function fields(rule) {
  const entries = [...rule.matchAll(/^(# )?(\w+) *= (.+)$/gm)];
  return Object.fromEntries(entries.map(([, comment, field, text]) => [comment ? "lasting" : field, valueOf(text)]));
}

/** A TOML value, as far as the rules have them: text, number, arrays and tables on one line. */
function valueOf(text) {
  return JSON.parse(text.startsWith('"') ? text : text.replace(/(\w+) = /g, '"$1": '));
}

const DOCUMENT = readFileSync(new URL("../../../docs/formats.md", import.meta.url), "utf8");
