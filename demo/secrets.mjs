// The local secrets in .dev.vars: random ones, made once and never overwritten.
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { CONFIGURATION, SECRETS } from "./configuration.mjs";

const TOKEN = "COUNTERSIGN_TOKEN"; // with which the command line asks the Worker
const HEAD = '# Random secrets for this machine, made by npm start. Keep the quotes: a bare value ends at "#".\n';

/**
 * The secrets of `folder`/.dev.vars by name, after adding those that its wrangler.toml names and the file lacks; `say` is
 * told. In front of a site that is not the demo's (`isOwnSite`) only the token: a random key would not be the site's.
 */
export function localSecrets(folder, say, { isOwnSite = false } = {}) {
  const file = path.join(folder, SECRETS);
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const present = secretsOf(before);
  const named = isOwnSite ? [] : namedSecrets(readFileSync(path.join(folder, CONFIGURATION), "utf8"));
  const missing = [...named, TOKEN].filter((name) => !(name in present));
  const made = Object.fromEntries(missing.map((name) => [name, randomBytes(40).toString("base64url")]));
  if (missing.length) {
    append(file, before, made);
    say(`new local secrets in ${SECRETS}: ${missing.join(", ")}`);
  }
  return { ...present, ...made };
}

function append(file, before, made) {
  const head = before === "" ? HEAD : before.endsWith("\n") ? "" : "\n";
  const lines = Object.entries(made).map(([name, value]) => `${name}="${value}"\n`);
  appendFileSync(file, head + lines.join(""), { mode: 0o600 });
}

/** Read as wrangler reads them: a quoted value is taken whole, a bare one ends at "#". */
function secretsOf(text) {
  const line = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|([^#\r\n]*))/gm;
  const pairs = [...text.matchAll(line)].map(([, name, single, double, back, bare]) => [
    name,
    single ?? double?.replaceAll("\\n", "\n").replaceAll("\\r", "\r") ?? back ?? bare.trim(),
  ]);
  return Object.fromEntries(pairs);
}

/** Quoted names with an underscore in the configuration are key ids; nothing else there is written so. */
function namedSecrets(toml) {
  const configuration = toml.slice(toml.indexOf("[vars.COUNTERSIGN]")).replace(/#.*$/gm, "");
  return [...new Set([...configuration.matchAll(/["']([A-Z][A-Z0-9]*_[A-Z0-9_]*)["']/g)].map(([, name]) => name))];
}
