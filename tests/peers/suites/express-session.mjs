// express-session's own tests. Only its first version was published with them: they run against the newest one.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { inRoot } from "../../../src/build/tools.mjs";
import { both } from "./mocha.mjs";

const TESTS = inRoot("tests/peers/node_modules/express-session-1/test/session.js");
const SECRETS = { NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81", ORIGIN_KEY: "keyboard cat" };
const CONFIG = {
  mode: "enforce",
  reports: "none",
  keys: { current: "NEW_KEY", origin: "ORIGIN_KEY" },
  cookies: [{ name: "connect.sid", format: "express", attributes: "Path=/; HttpOnly" }],
};

/** Runs them in `folder`, where the library that they test stands above them. */
export async function expressSession(folder) {
  const file = `${folder}/test/session.js`;
  mkdirSync(`${folder}/test`, { recursive: true });
  copyFileSync(TESTS, file);
  writeFileSync(`${folder}/package.json`, '{ "type": "commonjs" }\n');
  writeFileSync(`${folder}/index.js`, 'module.exports = require("express-session");\n');
  return both("express-session", folder, file, { config: CONFIG, secrets: SECRETS });
}
