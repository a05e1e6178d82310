// The configurations that C1 to C4 refuse, and their neighbours that must work.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { firstDay, pinned, rawOrigin, SECRETS, send, SESSION, worker } from "./harness.mjs";

const origin = await rawOrigin({ after });
const keysOf = (current, ...fallbacks) => ({ current, fallbacks, origin: "ORIGIN_KEY" });
const cookies = (...rules) => pinned({ cookies: rules });
const signed = (name, changes) => ({ name, format: "django-signer", salt: "basket", upgrade: "never", ...changes });
const wrapped = (name, changes) => ({
  name,
  format: "django-signed-cookie",
  origin: { format: "plain" },
  upgrade: "never",
  ...changes,
});
const SHORT = { ...SECRETS, SHORT_KEY: "only-twenty-bytes-20" };

async function statusAndLog(t, config, secrets = SHORT) {
  const edge = await worker(t, { config, secrets, origin });
  const { status } = await send(edge.port, { cookie: unverified(config) });
  if (status === 503) await edge.logged(/^ {2}COUNTERSIGN/m);
  return { status, log: edge.logText() };
}

function refused(name, config, pattern) {
  test(`refused: ${name}`, async (t) => {
    const { status, log } = await statusAndLog(t, config);
    assert.equal(status, 503);
    assert.match(log, pattern);
  });
}

const PASSES = true;

/** An allowed configuration works: what does not verify is kept from the origin, or `passes` where the rule says so. */
function allowed(name, config, passes = !PASSES) {
  test(`allowed: ${name}`, async (t) => {
    const { status, log } = await statusAndLog(t, config);
    assert.equal(status, 200, log);
    assert.equal(origin.last.cookie, passes ? unverified(config) : null);
  });
}

const unverified = (config) => config.cookies?.map(({ name }) => `${name}=not-signed-at-all`).join("; ");

// C1, separation
refused(
  "C1: one key derived alike for two formats, neither bound to a name",
  cookies(signed("a"), signed("b", { timestamp: false })),
  /cookies\[1\]/,
);
refused(
  "C1: the same format for two origins' keys",
  cookies(SESSION, { ...SESSION, name: "staffid", keys: { origin: "RETIRED_KEY" } }),
  /cookies\[1\]/,
);
refused(
  "C1: a shared fallback is a shared key",
  cookies(SESSION, {
    ...SESSION,
    name: "staffid",
    keys: { current: "RETIRED_KEY", fallbacks: ["OLD_KEY"], origin: "RETIRED_KEY" },
  }),
  /cookies\[1\]/,
);
refused(
  "C1: a plain origin behind a format that binds no name",
  cookies({ ...SESSION, origin: { format: "plain" } }),
  /cookies\[0\]/,
);
refused(
  "C1: the salt of a session in a bare signer",
  cookies(
    SESSION,
    signed("b", {
      salt: "django.contrib.sessions.backends.signed_cookies",
      origin: { format: "django-signer", salt: "other" },
    }),
  ),
  /cookies\[1\]/,
);
refused(
  "C1: an older format in accept that another rule can make",
  cookies(signed("a", { accept: [{ format: "django-signer", salt: "other" }] }), signed("b", { salt: "other" })),
  /cookies\[[01]\]/,
);
allowed(
  "C1: two formats that derive different keys",
  cookies(SESSION, { name: "messages", format: "django-messages", upgrade: "never" }),
);
allowed("C1: two formats that bind the name", cookies(wrapped("a"), wrapped("b")));
allowed("C1: the origin cannot tell them apart either", cookies(SESSION, { ...SESSION, name: "staffid" }));
allowed("C1: different salts", cookies(signed("a"), signed("b", { salt: "other" })));
allowed(
  "C1: a ring of its own",
  cookies(signed("a"), signed("b", { timestamp: false, keys: { current: "RETIRED_KEY", fallbacks: [] } })),
);

// C2, observe is not an off switch
refused(
  "C2: a rule observes where the ring is no longer the origin's key",
  cookies({ ...SESSION, mode: "observe" }, { ...SESSION, name: "b", mode: "enforce" }),
  /cookies\[0\]\.mode/,
);
refused(
  "C2: a rule observes where the origin's format is another",
  { ...firstDay(), cookies: [{ ...SESSION, mode: "observe", digest: "sha1", origin: { format: "django-session" } }] },
  /cookies\[0\]\.mode/,
);
refused(
  "C2: a rule observes where cookies have been sealed",
  { ...firstDay(), cookies: [wrapped("a", { mode: "observe" })] },
  /cookies\[0\]\.mode/,
);
allowed("C2: a rule observes on its first day", { ...firstDay(), cookies: [{ ...SESSION, mode: "observe" }] }, PASSES);
allowed(
  "C2: nothing has been sealed yet",
  cookies({ name: "a", format: "plain", origin: { format: "plain" }, mode: "observe", upgrade: "never" }),
  PASSES,
);
refused(
  "C2: forward to a plain origin",
  cookies(wrapped("a", { on_invalid: "forward" })),
  /cookies\[0\]\.on_invalid: .*unsafe_open/,
);
refused(
  "C2: forward where the origin's key is not in the ring",
  cookies({ ...SESSION, on_invalid: "forward" }),
  /cookies\[0\]\.on_invalid: .*unsafe_open/,
);
allowed(
  "C2: forward where the origin's key is in the ring",
  { ...cookies({ ...SESSION, on_invalid: "forward" }), keys: keysOf("NEW_KEY", "ORIGIN_KEY") },
  PASSES,
);
allowed(
  "C2: forward where the rule says unsafe_open",
  cookies({ ...SESSION, on_invalid: "forward", unsafe_open: true }),
  PASSES,
);

test("C2: observe of everything with a ring of its own stops traffic, unlike any other wrong configuration", async (t) => {
  const edge = await worker(t, { config: pinned({ mode: "observe" }), secrets: SECRETS, origin });
  assert.equal((await send(edge.port)).status, 503);
  await edge.logged(/so every request gets 503\n {2}COUNTERSIGN\.cookies\[0\]\.mode: /);
});

// C3, strength
refused(
  "C3: a short current key",
  pinned({ keys: keysOf("SHORT_KEY") }),
  /keys\.current: .*SHORT_KEY.*(32|allow_weak)/,
);
refused(
  "C3: a short current key of one rule",
  cookies({ ...SESSION, keys: { current: "SHORT_KEY" } }),
  /cookies\[0\]\.keys\.current: .*SHORT_KEY/,
);
allowed(
  "C3: a short current key with allow_weak",
  pinned({ keys: { ...keysOf("NEW_KEY"), current: { secret: "SHORT_KEY", allow_weak: true } } }),
);
allowed(
  "C3: a short current key that is the origin's",
  pinned({ keys: { current: "SHORT_KEY", origin: "SHORT_KEY" } }),
);

for (const [role, keys] of Object.entries({
  fallback: { current: "NEW_KEY", fallbacks: ["SHORT_KEY"], origin: "ORIGIN_KEY" },
  "origin key": { current: "NEW_KEY", origin: "SHORT_KEY" },
})) {
  test(`C3: a weak ${role} works and is reported`, async (t) => {
    const edge = await worker(t, { config: pinned({ keys }), secrets: SHORT, origin });
    assert.equal((await send(edge.port)).status, 200);
    await edge.logged(/SHORT_KEY/);
  });
}

// C4, look-alikes of each other
for (const [one, other] of [
  ["sessionid", "SessionID"],
  ["session_id", "session.id"],
  ["session_id", "session+id"],
  ["sid", "$sid"],
]) {
  refused(
    `C4: ${one} and ${other}`,
    cookies({ ...SESSION, name: one }, { ...SESSION, name: other }),
    /cookies\[1\]\.name/,
  );
}
allowed("C4: names that only begin alike", cookies(SESSION, { ...SESSION, name: "sessionid2" }));
