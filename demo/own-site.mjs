// `npm start -- --origin URL`: what `countersign init` says of a site, and a configuration that only observes it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import path from "node:path";
import { CONFIGURATION, SECRETS } from "./configuration.mjs";
import { SITES_OWN } from "./secrets.mjs";

const PATIENCE_MS = 60_000;

/** Prints what init finds at `origin`, writes `folder`/wrangler.toml where it has no rules yet; returns the folder. */
export async function ownSite({ origin, folder, cli, say = console.log }) {
  mkdirSync(folder, { recursive: true });
  const found = await foundAt(origin, cli);
  say(found.isKnown ? `countersign init ${origin} --dry-run\n\n${found.text}` : `${origin} was not looked at: ${found.text}`);
  const file = path.join(folder, CONFIGURATION);
  const secrets = path.join(folder, SECRETS);
  if (!existsSync(secrets)) writeFileSync(secrets, `# ${SITES_OWN}='…'   the key that the site signs its cookies with\n`, { mode: 0o600 });
  if (existsSync(file) && rulesIn(readFileSync(file, "utf8")).length) return folder; // somebody's own work
  const hasKey = new RegExp(`^\\s*${SITES_OWN}\\s*=`, "m").test(readFileSync(secrets, "utf8"));
  writeFileSync(file, configurationWith(hasKey ? rulesIn(found.text) : []));
  return folder;
}

function foundAt(origin, cli) {
  const args = ["init", origin, "--dry-run", "--yes"];
  return new Promise((resolve) => {
    execFile(cli, args, { timeout: PATIENCE_MS, env: { ...process.env, NO_COLOR: "1" } }, (error, stdout, stderr) => {
      if (!error) return resolve({ isKnown: true, text: stdout.trim() });
      resolve({ isKnown: false, text: stderr.trim().split("\n")[0].replace(/^error: /, "") || error.message });
    });
  });
}

const RULE = "[[vars.COUNTERSIGN.cookies]]";

/** The rules that a text holds: each begins with the table's name and ends at a line that is none of its fields. */
export function rulesIn(text) {
  const lines = text.split("\n").map((line) => line.trim());
  const starts = lines.flatMap((line, i) => (line === RULE ? [i] : []));
  return starts.map((start) => {
    const rest = lines.slice(start + 1);
    const end = rest.findIndex((line) => !/^\w+\s*=/.test(line));
    return [RULE, ...rest.slice(0, end === -1 ? undefined : end)].join("\n");
  });
}

const configurationWith = (rules) => `# Made by npm start -- --origin. It is yours to edit: a file with rules is kept.
name = "countersign-observes"
main = "../../../build/index.js"
compatibility_date = "2026-04-21"

[version_metadata]
binding = "CF_VERSION_METADATA"

[vars.COUNTERSIGN]
mode = "observe"   # reports, and changes nothing

[vars.COUNTERSIGN.keys]
current   = "${SITES_OWN}"
fallbacks = []
origin    = "${SITES_OWN}"

${rules.length ? rules.join("\n\n") : NO_RULES}
`;

const NO_RULES = `# A rule for each signed cookie of the site, from docs/formats.md. Until there is one, the log says that none is there.
# ${RULE}
# name       = "sessionid"
# format     = "django-session"
# max_age    = 1209600
# attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"`;
