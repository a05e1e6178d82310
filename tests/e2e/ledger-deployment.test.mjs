// The ledger's migration with the real wrangler and command line, and Cloudflare stood in for: the first deployment with
// it, what refuses a version that would bring it, rolling back across it, and its removal.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { rawOrigin, SECRETS, send, SESSION } from "./harness.mjs";
import { account as newAccount } from "./harness/account.mjs";
import { cloudflare, WORKER } from "./harness/cloudflare.mjs";
import { edge } from "./harness/edge.mjs";
import { ledger, TOKEN } from "./harness/ledger.mjs";
import { repository } from "./harness/repository.mjs";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const [DATE] = /^compatibility_date.*$/m.exec(readFileSync(path.join(PROJECT, "wrangler.toml"), "utf8"));
const TOML = `name = "${WORKER}"
main = "${path.join(PROJECT, "build/index.js")}"
${DATE}
routes = [{ pattern = "shop.example/*", zone_name = "shop.example" }]
workers_dev  = false
preview_urls = false

[version_metadata]
binding = "CF_VERSION_METADATA"

# the ledger

[vars.COUNTERSIGN]
mode = "enforce"

[vars.COUNTERSIGN.keys]
current   = "ORIGIN_KEY"
fallbacks = []
origin    = "ORIGIN_KEY"

[[vars.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600
attributes = "${SESSION.attributes}"
`;
const BINDING = `[[durable_objects.bindings]]
name = "LEDGER"
class_name = "Ledger"
`;
const MADE = `
[[migrations]]
tag = "ledger"
new_sqlite_classes = ["Ledger"]
`;
const DELETED = `
[[migrations]]
tag = "no-ledger"
deleted_classes = ["Ledger"]
`;

/** A site whose Worker is deployed without a ledger. */
async function deployed(t) {
  const origin = await rawOrigin(t);
  const account = await newAccount(t, { origin });
  const api = await cloudflare(t, account);
  const front = await edge(t, { account, site: origin, random: () => 0.5 });
  const urls = { COUNTERSIGN_URL: front.url, COUNTERSIGN_TOKEN: TOKEN };
  const folder = await repository(TOML, { ...api.environment, ...urls });
  await folder.wrangler("deploy");
  await folder.wrangler("secret put ORIGIN_KEY", { input: `${SECRETS.ORIGIN_KEY}\n` });
  await folder.wrangler("secret put COUNTERSIGN_TOKEN", { input: `${TOKEN}\n` });
  return { account, api, front, folder };
}

test("a ledger comes by wrangler deploy, is refused in a version, and goes by a migration of its own", async (t) => {
  const { account, api, front, folder } = await deployed(t);
  assert.equal((await ledger(front.port)).status, 404);
  const without = account.latest.id;

  await folder.edit("# the ledger", `# the ledger\n${BINDING}${MADE}`, "Bind a ledger");
  await folder.wrangler("versions upload --dry-run");
  assert.match(
    await folder.wrangler("versions upload", { code: 1 }),
    /pending Durable Object migration, which cannot be applied by `wrangler versions upload`/,
  );
  const before = [folder.toml(), account.versions.length, account.shares];
  const refused = await folder.countersign("stage KEY_2026_11 --deploy", { code: 1 });
  assert.match(refused, /wrangler.toml binds a ledger, and the live Worker has none: a version cannot bring its migration/);
  assert.match(refused, /hint: .*npx wrangler deploy/);
  assert.deepEqual([folder.toml(), account.versions.length, account.shares], before);

  await folder.wrangler("deploy");
  assert.equal(account.migration, "ledger");
  await send(front.port, { cookie: "sessionid=x" });
  const { hours } = (await ledger(front.port)).json().ledger;
  assert.deepEqual(hours.map(({ rule, verdict, count }) => [rule, verdict, count]), [["sessionid", "malformed", 1]]);
  assert.match(await folder.countersign("stage KEY_2026_11 --deploy"), /^deployed /m);
  assert.equal((await ledger(front.port)).status, 200);

  assert.match(await folder.wrangler(`versions deploy ${without}@100 --yes`, { code: 1 }), /migration has occurred/);

  await folder.edit(BINDING, "", "Unbind the ledger");
  await folder.wrangler("deploy");
  assert.equal((await ledger(front.port)).status, 404);
  await folder.edit(MADE, MADE + DELETED, "Delete the ledger");
  await folder.wrangler("deploy");
  assert.equal(account.migration, "no-ledger");
  assert.equal((await ledger(front.port)).status, 404);
  assert.deepEqual(api.unknown, []);
});
