// What Countersign says of a change from one version to another, before the world is asked.
import fs from "node:fs/promises";
import path from "node:path";
import { send } from "./client.mjs";
import { TARGET, ended, textOf } from "./commands.mjs";
import { program, temporaryFolder } from "./processes.mjs";

/** The token of every version's status. */
export const TOKEN = "the-token-of-the-fleet-9c1f27d0b6ae4483";

/** By the command line and the configurations, null for no Worker: what is lost `{forth, back}`, in sentences. */
export async function verdictOfFiles(from, to) {
  if (to === null) {
    const { forth, back } = await verdictOfFiles(to, from);
    return { forth: back, back: forth };
  }
  const folder = temporaryFolder();
  const [before, after] = ["before.toml", "after.toml"].map((name) => path.join(folder, name));
  if (from !== null) await fs.writeFile(before, wranglerToml(from));
  await fs.writeFile(after, wranglerToml(to));
  const against = from === null ? "none" : before;
  const { findings, against: changes } = await answerOf("countersign", [
    ...["check", "--no-secrets", "--json", "--config", after, "--against", against],
  ]);
  if (changes.length !== 1) throw new Error(`no configuration: ${JSON.stringify(findings)}`);
  const { lost_by_change: forth, lost_by_rollback: back } = changes[0];
  return { forth, back };
}

/**
 * By what live versions say of themselves, which tells of the bytes of keys; null for no Worker.
 * A row for each, of what the change from it to each brings: `{lost, notes}`, sentences each.
 */
export async function verdictsOfLive(edges) {
  const statuses = await Promise.all(edges.map((edge) => edge && status(edge)));
  return answerOf("examples/losses", [], statuses.map((one) => JSON.stringify(one)).join("\n"));
}

/** Asks a version for its status, or about a cookie. */
export async function status(edge, cookie) {
  const authorization = { Authorization: `Bearer ${TOKEN}` };
  const question = cookie === undefined ? {} : { method: "POST", body: cookie };
  const answer = await send(edge.port, { path: "/.well-known/countersign", headers: authorization, ...question });
  if (answer.status !== 200) throw new Error(`no status: ${answer.status} ${answer.text}`);
  return answer.json();
}

/** The JSON that a program of this package prints; one that finds losses ends with 1. */
export async function answerOf(name, args, input = "") {
  const child = program([path.join(TARGET, "debug", name), ...args]);
  child.stdin.on("error", () => {}); // which not every program reads
  child.stdin.end(input);
  const [text, code] = await Promise.all([textOf(child.stdout), ended(child)]);
  if (code > 1) throw new Error(`${name} ended with ${code}:\n${child.errors}${text}`);
  return JSON.parse(text);
}

const wranglerToml = (config) => `name = "fleet"\n[vars]\nCOUNTERSIGN = ${toml(config)}\n`;

/** A value as TOML has it in one line. */
function toml(value) {
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{ ${fields.map(([name, field]) => `${name} = ${toml(field)}`).join(", ")} }`;
}
