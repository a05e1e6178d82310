// Sites that sign nothing, wrapped in `sealed`: what they set comes back to them byte for byte, through a rotation.
import assert from "node:assert/strict";
import test from "node:test";
import { UNSIGNED } from "./frameworks/unsigned.mjs";
import { browser, pinned, SECRETS, tapped, worker } from "./harness.mjs";
import { program, served } from "./harness/processes.mjs";

const VALUES = [
  "ada@example.com",
  "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",
  '{"id":7}',
  '{"name": "Ada L", "tags": ["a", "b"]}',
  "12,15,19",
  "Ada L",
  "Zoë",
  "日本語 😀",
  '5" nails',
  "back\\slash",
  "",
];
const RULE = {
  name: "user",
  format: "sealed",
  origin: { format: "plain" },
  max_age: 2592000,
};
const ring = (attributes, current, ...fallbacks) => ({
  config: pinned({ keys: { current, fallbacks, origin: "ORIGIN_KEY" }, cookies: [{ ...RULE, attributes }] }),
  secrets: SECRETS,
});

for (const { name, needs, command, attributes = "Path=/; HttpOnly", canSet = () => true } of UNSIGNED) {
  const [started, skip] = [command(), !command() && `not installed (Debian: ${needs})`];
  test(name, { skip }, async (t) => {
    const site = await served(t, program(started));
    const origin = await tapped(t, site);
    const edge = await worker(t, { origin, ...ring(attributes, "OLD_KEY") });
    t.diagnostic(`version ${site.version}`);
    const visitors = new Map(VALUES.filter(canSet).map((value) => [value, browser(edge)]));

    await t.test("reads each value as it would without the Worker, from the same bytes", async () => {
      for (const [value, visitor] of visitors) {
        const [alone, expected] = [browser(site), await readBy(origin, visitor, value)];
        await alone.go(login(value));
        assert.equal(expected, (await alone.go("/")).text, value);
        assert.equal(origin.last.cookie, origin.lastSet, value);
        assert.match(visitor.cookie("user"), /^v1\.[\w-]*\.\d+\.[\w-]{43}$/);
        visitor.expected = [expected, origin.lastSet];
      }
    });

    await t.test("goes on doing so when the ring has another key, and the first one has left it", async () => {
      for (const keys of [["NEW_KEY", "OLD_KEY"], ["NEW_KEY"]]) {
        await edge.restart(ring(attributes, ...keys));
        for (const [value, visitor] of visitors) {
          const before = visitor.cookie("user");
          const { text } = await visitor.go("/");
          assert.deepEqual([text, origin.last.cookie], visitor.expected, value);
          assert.equal(visitor.cookie("user") !== before, keys.length === 2, value);
        }
      }
    });

    await t.test("never sees what the Worker did not seal", async () => {
      for (const value of visitors.keys()) {
        const [alone, stranger] = [browser(site), browser(edge)];
        await alone.go(login(value));
        stranger.jar.push(...alone.jar);
        assert.equal(stranger.jar.length, 1);
        assert.equal((await stranger.go("/")).text, "null", value);
      }
    });

    await t.test("deletes it", async () => {
      for (const visitor of visitors.values()) {
        await visitor.go("/logout");
        assert.equal((await visitor.go("/")).text, "null");
        assert.deepEqual(visitor.jar, []);
      }
    });

    const verdicts = (await edge.reports()).flatMap((report) => report.verdicts).map(({ verdict }) => verdict);
    for (const wrong of ["attributes-differ", "too-long"]) assert.ok(!verdicts.includes(wrong), wrong);
  });
}

const login = (value) => `/login?user=${encodeURIComponent(value)}`;

async function readBy(origin, visitor, value) {
  await visitor.go(login(value));
  return (await visitor.go("/")).text;
}
