// A rotation by the ledger: the real runtime counts, and the real command line refuses to retire a key while it is in use
// and lets it go when it is not. The clock of both is the test's.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ago, pinned, send, signer } from "./harness.mjs";
import { ledger, ledgerSite, TOKEN, version } from "./harness/ledger.mjs";
import { repository } from "./harness/repository.mjs";

const DAY = 86_400;
const STAGED = { current: "OLD_KEY", fallbacks: ["NEW_KEY"], origin: "ORIGIN_KEY" };
const PROMOTED = { current: "NEW_KEY", fallbacks: ["OLD_KEY"], origin: "ORIGIN_KEY" };
const RETIRED = { ...PROMOTED, fallbacks: [] };
const written = ({ current, fallbacks }) => `current   = "${current}"\nfallbacks = [${fallbacks.map((key) => `"${key}"`)}]`;
const TOML = `name = "shop"

[vars.COUNTERSIGN]
mode = "enforce"

[vars.COUNTERSIGN.keys]
${written(STAGED)}
origin    = "ORIGIN_KEY"

[[vars.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600
attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"
`;

const sign = await signer({ after });
const [current, old] = await Promise.all(["NEW_KEY", "OLD_KEY"].map((key) => sign.session(key, { at: ago(10) })));

test("a key is retired when the ledger shows that it is out of use, and not before", async (t) => {
  const config = (keys) => pinned({ reports: "none", keys });
  const { edge, origin } = await ledgerSite(t, { config: config(STAGED) });
  const page = async (cookie) => assert.equal((await send(edge.port, { cookie: `sessionid=${cookie}` })).status, 200);
  let days = 0;
  /** Goes on so many days after the beginning, with these keys. */
  const goOn = async (until, keys) => {
    await ledger(edge.port); // which takes what the isolate has counted
    days = until;
    await edge.restart(version({ config: config(keys), shift: days * DAY }));
  };
  const folder = await repository(TOML, { COUNTERSIGN_TOKEN: TOKEN });
  const countersign = (line, code = 0) => {
    const more = { COUNTERSIGN_URL: `http://127.0.0.1:${edge.port}`, COUNTERSIGN_NOW: String(ago(-days * DAY)) };
    return folder.countersign(line, { code, more });
  };
  await page(old);

  await goOn(0, PROMOTED);
  await folder.edit(written(STAGED), written(PROMOTED), "Promote NEW_KEY");
  await page(old);
  const said = await countersign("retire OLD_KEY", 1);
  assert.match(said, /OLD_KEY is in use; cookies that it opened in the last 7 days:\n {2}sessionid: 1 current\n {2}sessionid: 1 fallback\n/);

  await goOn(3, PROMOTED);
  await page(old);
  await page(old);
  await page(current);
  assert.match(await countersign("retire OLD_KEY --days 2", 1), /in the last 2 days:\n {2}sessionid: 2 fallback\n/);
  const status = await countersign("status");
  assert.match(status, / {2}OLD_KEY +·{25,26}[▁-█]{4,5} {2}2 in 24 hours, the last /);
  assert.match(status, / {2}of 3 cookies opened in 24 hours, 33\.3 % under the current key/);

  await goOn(9, PROMOTED);
  await page(current);
  assert.match(await countersign("retire OLD_KEY", 1), /in the last 7 days:\n {2}sessionid: 2 fallback\n/);
  assert.match(folder.toml(), /fallbacks = \["OLD_KEY"\]/);

  await goOn(11, PROMOTED);
  const unknown = /whether OLD_KEY is in use is unknown: the ledger has counted no cookie in 24 hours/;
  assert.match(await countersign("retire OLD_KEY", 1), unknown);
  await page(current);
  assert.match(await countersign("retire OLD_KEY --days 20", 1), /is in use; cookies that it opened in the last 20 days/);
  assert.match(await countersign("retire OLD_KEY"), /note: OLD_KEY last opened a cookie \d days ago; 0 uses in 7 days, by the ledger/);
  assert.match(folder.toml(), /fallbacks = \[\]/);

  await goOn(11, RETIRED);
  await page(old);
  assert.equal(origin.requests.at(-1).header("cookie"), null);
  await page(current);
  assert.ok(origin.requests.at(-1).header("cookie").startsWith("sessionid="));
});
