// The life of an installation: a site, its visitors, and the operator's commands before an edge that is stood in for.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { account as newAccount } from "./account.mjs";
import { cloudflare, WORKER } from "./cloudflare.mjs";
import { django } from "./django.mjs";
import { edge } from "./edge.mjs";
import { each, randomness, session } from "./fleet.mjs";
import { repository } from "./repository.mjs";
import { TOKEN } from "./verdict.mjs";

/** A real Django under `key` with nothing before it, and sessions that begin there; `seed` decides on chance. */
export async function installation(t, { key, seed, sessions, logins }) {
  const site = await django(t, { key });
  const account = await newAccount(t, { origin: site });
  const api = await cloudflare(t, account);
  const front = await edge(t, { account, site, random: randomness(seed) });
  const urls = { COUNTERSIGN_URL: front.url, COUNTERSIGN_TOKEN: TOKEN };
  const folder = await repository(WRANGLER_TOML, { ...api.environment, ...urls });
  const everyone = Array.from({ length: sessions }, (_, n) => session(`visitor-${n}`, randomness(`${seed} ${n}`)));
  await each(everyone.slice(0, logins), (one) => one.login(front));
  await each(everyone.slice(logins), (one) => one.add(front));

  const self = {
    ...{ site, account, api, edge: front, folder, everyone },
    /** Who does not visit for now. */
    away: [],
    present: () => everyone.filter((one) => !self.away.includes(one)),
    leave: (some) => (self.away = some),
    /** Those who were forgotten come back and log in. */
    async begin(some) {
      for (const one of some) one.missed = 0;
      await each(some, (one) => one.login(front));
      self.away = [];
    },
    /** Time for which uses are counted passes, and in it everybody comes by. */
    async weekPasses() {
      account.engine.forget();
      await self.isKnownToAll();
      await account.engine.hears();
    },
    /** Every session does something, and then opens a page; none is forgotten by any answer. */
    async isKnownToAll() {
      await each(self.present(), (one) => one.act(front));
      await each(self.present(), (one) => one.page(front));
      const missed = self.present().filter((one) => one.missed > 0 || !one.isKnown).map(({ name }) => name);
      assert.deepEqual(missed, [], "these were forgotten");
    },
    /** What must not change where a command is refused. */
    async state() {
      const git = await Promise.all([folder.git("status --porcelain"), folder.git("rev-parse HEAD")]);
      return { git, shares: account.shares, versions: account.versions.length };
    },
    /** Runs a command that has to refuse, and to leave everything as it is. */
    async refuses(line, why, code = 1) {
      const before = await self.state();
      assert.match(await folder.countersign(line, { code }), why);
      assert.deepEqual(await self.state(), before);
      await self.isKnownToAll();
    },
    /** Runs a step that deploys, after a look at what it would do; it may be committed already. */
    async deploys(line, says = /^/) {
      const before = await self.state();
      const plan = await folder.countersign(`${line} --deploy --dry-run`);
      assert.deepEqual(await self.state(), before);
      const [, message] = /^git commit --message '([^']+)' -- wrangler.toml$/m.exec(plan) ?? [];

      const said = await folder.countersign(`${line} --deploy`);
      assert.match(said, says);
      const [, version] = /^deployed (\S+)$/m.exec(said);
      assert.deepEqual(account.shares, { [version]: 100 });
      if (message) await self.isCommitted(message, before);
      else assert.deepEqual((await self.state()).git, before.git);
      await self.isKnownToAll();
      return said;
    },
    /** One commit more, of wrangler.toml alone, and every comment is where it was. */
    async isCommitted(message, before) {
      assert.equal(await folder.git("log --max-count=1 --format=%s"), `${message}\n`);
      assert.equal(await folder.git("rev-parse HEAD^"), before.git[1]);
      assert.equal(await folder.git("diff --name-only HEAD^"), "wrangler.toml\n");
      assert.equal(await folder.git("status --porcelain"), "");
      const comments = folder.toml().match(/#.*/g);
      assert.deepEqual(comments, WRANGLER_TOML.match(/#.*/g));
    },
  };
  account.onDeployment = () => each(self.present(), (one) => one.act(front));
  return self;
}

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const [, DATE] = /^(compatibility_date.*)$/m.exec(readFileSync(path.join(PROJECT, "wrangler.toml"), "utf8"));

const WRANGLER_TOML = `# The shop's edge. Ask the platform team before you change a key.
name = "${WORKER}"
main = "${path.join(PROJECT, "build/index.js")}"
${DATE}
routes = []   # none yet

workers_dev  = false   # no way round the zone,
preview_urls = false   # and no old version with old keys left in public

[version_metadata]
binding = "CF_VERSION_METADATA"

# Which key is still in use, and how much.
[[analytics_engine_datasets]]
binding = "USAGE"
dataset = "countersign"

[vars.COUNTERSIGN]
mode = "observe"   # the first day

[vars.COUNTERSIGN.keys]
current   = "DJANGO_SECRET_KEY"   # signs what browsers get
fallbacks = []                    # still open what they have
origin    = "DJANGO_SECRET_KEY"   # the site's own; left alone

[[vars.COUNTERSIGN.cookies]]
name       = "sessionid"
format     = "django-session"
max_age    = 1209600
attributes = "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"   # as the site sets it
`;
