// A site moves from h3 1 to h3 2, which derives its keys with 8192 rounds where h3 1 made one, in the middle of a session.
import assert from "node:assert/strict";
import test from "node:test";
import { FRAMEWORKS } from "./frameworks/table.mjs";
import { browser, pinned, SECRETS, tapped, worker } from "./harness.mjs";
import { program, served } from "./harness/processes.mjs";

const [H3_1, H3_2] = ["the session of h3 1", "the session of h3 2"].map((name) =>
  FRAMEWORKS.find((framework) => framework.name === name),
);
const MOVING = { ...H3_2.rule, accept: [{ format: "iron" }] };

test("a session of h3 1 goes on at h3 2 without it, under another key, and is one of 8192 rounds from then on", async (t) => {
  const [before, after] = await Promise.all([site(t, H3_1), site(t, H3_2)]);
  const now = { ...before };
  const origin = await tapped(t, now);
  const edge = await worker(t, { origin, ...ring(H3_1.rule, "ORIGIN_KEY") });
  const ada = browser(edge);
  await ada.go("/login?user=ada");
  const old = ada.cookie("h3");

  await edge.restart(ring(MOVING, "NEW_KEY", "ORIGIN_KEY"));
  now.port = after.port;
  assert.equal(await userOf(ada), "ada");
  assert.notEqual(ada.cookie("h3"), old);
  // a browser that comes back later
  const late = browser(edge);
  late.jar.push({ ...ada.jar[0], value: old });
  assert.equal(await userOf(late), "ada");

  await edge.restart(ring(H3_2.rule, "NEW_KEY"));
  assert.equal(await userOf(ada), "ada");
  late.jar[0].value = old;
  assert.equal(await userOf(late), "nobody");
  const verdicts = (await edge.reports()).flatMap((report) => report.verdicts).map(({ verdict }) => verdict);
  for (const expected of ["accepted-format", "upgraded"]) assert.ok(verdicts.includes(expected), verdicts.join());
});

const site = (t, framework) => served(t, program(framework.command(), { ORIGIN_KEY: SECRETS.ORIGIN_KEY }));

const ring = (rule, current, ...fallbacks) => ({
  config: pinned({ keys: { current, fallbacks, origin: "ORIGIN_KEY" }, cookies: [rule] }),
  secrets: SECRETS,
});

const userOf = async (visitor) => (await visitor.go("/")).text;
