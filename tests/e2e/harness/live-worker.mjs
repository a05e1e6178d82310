// A stand-in for a live Worker with a ledger: it answers its status and its figures, as the test says.
import http from "node:http";

export const TOKEN = "a-token-of-thirty-two-bytes-or-more";
/** 2027-02-01 00:00 UTC. */
export const NOW = 1_801_440_000;
export const HOUR = 3_600;
export const DAY = 86_400;

/** A Worker whose `status` and `ledger` the test may replace at any time; `ledger` is an object, null or an error's text. */
export async function liveWorker(t, { configuration, ledger }) {
  const self = { configuration, ledger, now: NOW, asked: [], isDown: false, problems: [], notes: [] };
  const server = http.createServer((request, response) => {
    self.asked.push(request.url);
    const reply = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (self.isDown || request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(404).end("<html>the site's own</html>");
    if (request.url === "/.well-known/countersign") return reply(200, status(self));
    if (request.url !== "/.well-known/countersign?ledger") return response.writeHead(404).end();
    if (self.ledger === null) return reply(404, { error: "no ledger is bound" });
    if (typeof self.ledger === "string") return reply(503, { error: self.ledger });
    return reply(200, { countersign: "0.1.0", now: self.now, ledger: self.ledger });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  self.url = `http://127.0.0.1:${server.address().port}`;
  return self;
}

function status({ configuration, now, problems, notes }) {
  const id = (key) => key.secret ?? key;
  const secrets = [];
  for (const rule of configuration.cookies) {
    const { current, fallbacks = [], origin } = { ...configuration.keys, ...rule.keys };
    for (const key of [current, ...fallbacks, origin]) if (!secrets.includes(id(key))) secrets.push(id(key));
  }
  const mode = problems.length ? "refused" : (configuration.mode ?? "enforce");
  const version = { id: "7f1c2d3e-0000-4000-8000-000000000000", timestamp: "2027-01-20T10:00:00Z" };
  const keys = secrets.map((secret, at) => ({ secret, fingerprint: (0x5b1d9c30 + at * 0x1010101).toString(16) }));
  return { countersign: "0.1.0", version, now, mode, problems, notes, configuration, keys };
}

/** A ledger of entries, `{at, rule, key, verdict, reason, count}` with `at` any second: hours and days as it keeps them. */
export function ledgerOf(entries, { since, now = NOW }) {
  const sum = (seconds, oldest) => {
    const kept = new Map();
    for (const { at, count, ...what } of entries) {
      const entry = { at: at - (at % seconds), ...what };
      const name = JSON.stringify(entry);
      if (entry.at >= oldest) kept.set(name, { ...entry, count: (kept.get(name)?.count ?? 0) + count });
    }
    return [...kept.values()];
  };
  const keys = new Map();
  for (const { at, rule, key, verdict } of entries) {
    const kind = { current: "opened", fallback: "opened", "accepted-format": "opened", sealed: "sealed" }[verdict];
    if (!key || !kind) continue;
    const times = keys.get(`${rule} ${key}`) ?? { rule, key };
    keys.set(`${rule} ${key}`, times);
    times[`first_${kind}`] = Math.min(times[`first_${kind}`] ?? at, at);
    times[`last_${kind}`] = Math.max(times[`last_${kind}`] ?? at, at);
  }
  return { since, keys: [...keys.values()], hours: sum(HOUR, now - 14 * DAY), days: sum(DAY, now - 400 * DAY) };
}

/** The uses of two keys, of which `next` was promoted at `promoted`: the old one's fall by `rate` a day. */
export function handOver({ rule = "sessionid", old, next, promoted, since, now = NOW, daily = 24_000, rate = 0.62 }) {
  const entries = [];
  for (let at = since - (since % HOUR) + HOUR / 2; at < now; at += HOUR) {
    // fewer at night, and no chance in it
    const all = Math.round((daily / 24) * (1 + 0.6 * Math.sin(((at % DAY) / DAY) * 2 * Math.PI - 2)));
    const share = at < promoted ? 1 : 0.5 * rate ** ((at - promoted) / DAY);
    const olds = Math.round(all * share);
    const entry = (key, verdict, count, reason) => count > 0 && entries.push({ at, rule, ...(key && { key }), verdict, ...(reason && { reason }), count });
    entry(old, at < promoted ? "current" : "fallback", olds);
    entry(next, "current", at < promoted ? 0 : all - olds);
    entry(at < promoted ? old : next, "sealed", Math.round(all / 40));
    if (at >= promoted) entry(old, "upgraded", Math.round(olds / 2));
    if (at >= promoted) entry(old, "upgrade-withheld", Math.round(olds / 5), "not-navigation");
    if (at >= promoted) entry(old, "upgrade-withheld", Math.round(olds / 40), "late");
    entry(null, "bad-signature", Math.round(all / 500));
    entry(null, "expired", Math.round(all / 150));
    if (at % (7 * HOUR) < HOUR) entry(null, "look-alike", 1);
  }
  return entries;
}
