// What is logged and counted (rule B3): which verdicts, how often, and never a value.
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  ago,
  answer,
  edgeAndOrigin,
  NAVIGATION,
  pinned,
  rawOrigin,
  SECRETS,
  send,
  SESSION,
  signer,
  worker,
} from "./harness.mjs";

const sign = await signer({ after });
const good = await sign.session("NEW_KEY");
const old = await sign.session("OLD_KEY");
const forged = await sign.session("RETIRED_KEY");
const verdictsOf = (report) => report.verdicts.map(({ verdict }) => verdict);

test("a report is one line with ray, mode, rule, verdict and key id", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned());
  await send(edge.port, { cookie: `sessionid=${old}`, headers: { ...NAVIGATION, "CF-Ray": "8f0000000000abcd-FRA" } });
  assert.deepEqual(await edge.reports(1), [
    {
      source: "countersign",
      ray: "8f0000000000abcd-FRA",
      mode: "enforce",
      verdicts: [
        { rule: "sessionid", verdict: "fallback", key: "OLD_KEY" },
        { rule: "sessionid", verdict: "upgraded", key: "NEW_KEY" },
      ],
    },
  ]);
});

test("a request with many verdicts still has one report", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), () => answer("200 OK", [`Set-Cookie: sessionid=x; ${SESSION.attributes}`]));
  await send(edge.port, { cookie: `sessionid=${forged}; sessionid=${good}; SessionID=1; sessionid=${old}` });
  const [report] = await edge.reports(1);
  assert.deepEqual(verdictsOf(report).sort(), [
    "current",
    "duplicate-dropped",
    "fallback",
    "look-alike",
    "origin-unverified",
    "upgrade-withheld",
  ]);
  await setTimeout(100);
  assert.equal((await edge.reports()).length, 1);
});

test("by default refusals are reported and ordinary verdicts are not", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned({ reports: undefined }));
  await send(edge.port, { cookie: `sessionid=${good}` });
  await send(edge.port, { cookie: `sessionid=${old}`, headers: NAVIGATION });
  await send(edge.port, { cookie: `sessionid=${forged}; sessionid=${good}` });
  assert.deepEqual((await edge.reports(1)).map(verdictsOf), [["duplicate-dropped"]]);
});

test("each kind of refusal is reported by default", async (t) => {
  const cases = {
    "bad-signature": forged,
    expired: await sign.session("NEW_KEY", { at: ago(1300000) }),
    malformed: "nothing-like-it",
    "too-long": "x".repeat(17_000),
    "look-alike": `${good}; SessionID=1`,
  };
  const { edge } = await edgeAndOrigin(t, pinned({ reports: "refusals" }));
  for (const value of Object.values(cases)) await send(edge.port, { cookie: `sessionid=${value}` });
  const reports = await edge.reports(Object.keys(cases).length);
  assert.deepEqual(reports.flatMap(verdictsOf), Object.keys(cases));
});

test("with reports = none nothing is logged", async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, pinned({ reports: "none" }));
  for (const value of [good, old, forged]) await send(edge.port, { cookie: `sessionid=${value}`, headers: NAVIGATION });
  await setTimeout(200);
  assert.deepEqual([edge.logs(), origin.last.cookie], [[], null]);
});

test("a refusal that repeats within a minute is counted, not repeated", async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned({ reports: "refusals" }));
  for (let i = 0; i < 20; i++) await send(edge.port, { cookie: `sessionid=${forged}` });
  await send(edge.port, { cookie: "sessionid=malformed" });
  const reports = await edge.reports(2);
  await setTimeout(100);
  assert.deepEqual(reports.map(verdictsOf), [["bad-signature"], ["malformed"]]);
  assert.equal((await edge.reports()).length, 2);
});

test("the same refusal of another rule is not the same", async (t) => {
  const { edge } = await edgeAndOrigin(
    t,
    pinned({ reports: "refusals", cookies: [SESSION, { ...SESSION, name: "staffid" }] }),
  );
  for (const name of ["sessionid", "staffid", "sessionid"]) await send(edge.port, { cookie: `${name}=${forged}` });
  assert.deepEqual(
    (await edge.reports(2)).map(({ verdicts }) => verdicts[0].rule),
    ["sessionid", "staffid"],
  );
});

/** Analytics Engine's data points as the runtime delivers them: `{index, blobs, doubles}`. */
async function counted(t, bindings = {}, { config = pinned({ reports: "none" }), secrets = SECRETS } = {}) {
  const engine = await rawOrigin(t, () => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const origin = await rawOrigin(t);
  const edge = await worker(t, {
    config,
    secrets,
    origin,
    bindings: { USAGE: { analytics: true, port: engine.port }, ...bindings },
  });
  const text = (value) => (typeof value === "string" ? value : Buffer.from(value ?? []).toString());
  const points = () =>
    engine.requests
      .map(({ body }) => JSON.parse(body.toString()))
      .map((point) => ({
        index: text(point.index1),
        blobs: [text(point.blob1), text(point.blob2)],
        weight: point.double1,
      }));
  return { edge, engine, origin, points };
}

const LONG_KEY = "K".repeat(64);
const LONG_NAMES = {
  config: pinned({
    keys: { current: LONG_KEY, origin: "ORIGIN_KEY" },
    cookies: ["one", "two"].map((end) => ({ ...SESSION, name: "n".repeat(80) + end })),
  }),
  secrets: { ...SECRETS, [LONG_KEY]: SECRETS.NEW_KEY },
};

async function until(holds) {
  for (const end = Date.now() + 3000; !holds() && Date.now() < end;) await setTimeout(10);
}

test("with USAGE each verdict is a data point: rule and key id, verdict and version, weight", async (t) => {
  const version = { id: "5f1d0000-0000-4000-8000-000000000001", tag: "with-a-staged-key", timestamp: "" };
  const { edge, points } = await counted(t, { CF_VERSION_METADATA: { json: version } });
  await send(edge.port, { cookie: `sessionid=${good}` });
  await send(edge.port, { cookie: `sessionid=${old}` });
  await until(() => points().length >= 3);
  const of = (verdict) => points().find(({ blobs }) => blobs[0] === verdict);
  assert.match(of("current").index, /sessionid.*NEW_KEY/);
  assert.match(of("fallback").index, /sessionid.*OLD_KEY/);
  assert.deepEqual([of("current").weight, of("current").blobs[1]], [1, version.id]);
  for (const secret of Object.values(SECRETS)) assert.ok(!JSON.stringify(points()).includes(secret));
});

test("a request makes at most twenty data points", async (t) => {
  const { edge, points } = await counted(t);
  await send(edge.port, { cookie: `${"sessionid=x; ".repeat(60)}SessionID=1; sessionid=${good}` });
  await until(() => points().length > 0);
  await setTimeout(200);
  assert.ok(points().length > 0 && points().length <= 20, `${points().length} points`);
});

test("names too long for an index of Analytics Engine (96 bytes) are counted all the same, and apart", async (t) => {
  const { edge, points } = await counted(t, {}, LONG_NAMES);
  const [one, other] = LONG_NAMES.config.cookies.map(({ name }) => `${name}=${good}`);
  await send(edge.port, { cookie: `${one}; ${other}` });
  await until(() => points().length >= 2);
  const indexes = new Set(points().map(({ index }) => index));
  assert.equal(indexes.size, 2);
  for (const index of indexes) assert.ok(index.length <= 96);
});

test("a USAGE that is something else does no harm", async (t) => {
  for (const USAGE of [{ json: { writeDataPoint: "no function" } }, "text"]) {
    const origin = await rawOrigin(t);
    const edge = await worker(t, { config: pinned(), secrets: SECRETS, origin, bindings: { USAGE } });
    for (const [value, isShown] of [
      [good, true],
      [forged, false],
    ]) {
      assert.equal((await send(edge.port, { cookie: `sessionid=${value}` })).status, 200);
      assert.equal(origin.last.cookie !== null, isShown);
    }
  }
});
