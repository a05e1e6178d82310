// Countersign without Cloudflare: docs/self-hosted/countersign.capnp as it stands there, under workerd alone.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs/promises";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import workerd from "workerd";
import { browser, django, pinned, SECRETS, send, signer } from "./harness.mjs";
import { realClock } from "./harness/clock.mjs";
import { eachLine, end, setAside, start, temporaryFolder } from "./harness/processes.mjs";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const CAPNP = path.join(PROJECT, "docs/self-hosted/countersign.capnp");
const TOKEN = "a-token-of-the-operators-own-0123456789";
const KEYS = { DJANGO_SECRET_KEY: SECRETS.ORIGIN_KEY, KEY_2026_11: SECRETS.NEW_KEY };

const sign = await signer({ after });
const site = await django({ after }, { key: SECRETS.ORIGIN_KEY });
const RING = { keys: { current: "KEY_2026_11", fallbacks: [], origin: "DJANGO_SECRET_KEY" } };

/** The folder that the page describes: the Worker, the configuration and the variable as JSON. */
async function folder(config) {
  const made = temporaryFolder();
  await fs.mkdir(path.join(made, "worker"));
  for (const file of ["index.js", "countersign_bg.wasm"]) {
    await fs.copyFile(path.join(PROJECT, "build", file), path.join(made, "worker", file));
  }
  await fs.copyFile(CAPNP, path.join(made, "countersign.capnp"));
  await fs.writeFile(path.join(made, "countersign.json"), JSON.stringify(config));
  return made;
}

/** Runs workerd there, with other addresses than the file has, as its command line can say them. */
async function served(t, config, environment) {
  const addresses = ["--socket-addr=http=127.0.0.1:0", `--external-addr=site=127.0.0.1:${site.port}`];
  const args = ["serve", ...addresses, "--control-fd=3", path.join(await folder(config), "countersign.capnp")];
  const child = start(workerd.default, args, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...realClock(process.env), ...environment },
  });
  t.after(() => end(child));
  let log = "";
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => (log += `${line}\n`));
  const listens = new Promise((resolve) => eachLine(child.stdio[3], (line) => resolve(JSON.parse(line).port)));
  const ended = once(child, "close").then(([code]) => Promise.reject(new Error(`workerd ended with ${code}:\n${log}`)));
  ended.catch(() => {});
  const port = await Promise.race([listens, ended]);
  setAside(child);
  return { port, url: `http://127.0.0.1:${port}`, log: () => log };
}

test("a login is signed with the ring's key for the browser and with the site's own for the site", async (t) => {
  const edge = await served(t, pinned(RING), { ...KEYS, COUNTERSIGN_TOKEN: TOKEN });
  const visitor = browser(edge);
  await visitor.go("/login?item=tea");
  const page = (await visitor.go("/")).json();
  assert.equal(page.user, "ada");
  const browsers = await sign.readSession("NEW_KEY", visitor.cookie("sessionid"));
  assert.deepEqual(await sign.readSession("ORIGIN_KEY", page.cookies.sessionid), browsers);
});

test("the token opens the status, as on Cloudflare", async (t) => {
  const edge = await served(t, pinned(RING), { ...KEYS, COUNTERSIGN_TOKEN: TOKEN });
  const headers = [["Authorization", `Bearer ${TOKEN}`]];
  const reply = await send(edge.port, { path: "/.well-known/countersign", headers });
  assert.equal(reply.status, 200);
  const status = JSON.parse(reply.text);
  assert.equal(status.mode, "enforce");
  assert.deepEqual(
    status.keys.map((key) => key.secret),
    ["KEY_2026_11", "DJANGO_SECRET_KEY"],
  );
});

test("a key that the environment does not hold is answered with 503", async (t) => {
  const edge = await served(t, pinned(RING), { DJANGO_SECRET_KEY: SECRETS.ORIGIN_KEY, COUNTERSIGN_TOKEN: TOKEN });
  assert.equal((await send(edge.port, {})).status, 503);
  assert.match(edge.log(), /KEY_2026_11/);
});
