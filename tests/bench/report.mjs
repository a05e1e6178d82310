// What RESULTS.md says, section by section.
import { fixed, summary, table } from "./figures.mjs";
import { FILES } from "./runtime.mjs";

const us = fixed(1);
const ratio = fixed(2);
const OTHERS = { "pass-through": "the pass-through", limit: "the limit", webcrypto: "the WebCrypto peer" };

/**
 * What each target is about: by the least, by the median, and by the median of what each round says. The machine's
 * speed changes from minute to minute, and less within a round.
 */
export function targets(results, alone) {
  const slots = (id, worker, of = results) =>
    [...of].find(([it]) => it.id === id)?.[1][worker].map((slot) => slot.cpu) ?? [];
  const compared = (a, b, by) => (of) => {
    if (of !== "round") return by(summary(a)[of], summary(b)[of]);
    const rounds = a.map((cpu, round) => by(cpu, b[round]));
    return summary(rounds).median;
  };
  const over = (id, worker) => compared(slots(id, "countersign"), slots(id, worker), (own, other) => own / other);
  const step = (more, less, number, worker = "countersign", of = results) =>
    compared(slots(more, worker, of), slots(less, worker, of), (own, other) => (own - other) / number);
  const rows = [
    ["re-signed both ways, of the limit", over("both-ways", "limit"), 1.2, ratio],
    ["re-signed both ways, of the WebCrypto peer", over("both-ways", "webcrypto"), 0.9, ratio],
    ["no managed cookie, of the pass-through", over("unmanaged", "pass-through"), 1.12, ratio],
    ["each further fallback, µs", step("fallback-3", "fallback-1", 2), 3, us],
    ["the same, of the Worker alone", step("fallback-3", "fallback-1", 2, "countersign", alone), 3, us],
    ["twenty unmanaged cookies more, µs", step("twenty", "both-ways", 1), 5, us],
    ["the same, of the Worker alone", step("twenty", "both-ways", 1, "countersign", alone), 5, us],
    ["the same, of the limit", step("twenty", "both-ways", 1, "limit"), undefined, us],
    ["the same, of the limit alone", step("twenty", "both-ways", 1, "limit", alone), undefined, us],
    ["encrypted, of the WebCrypto peer", over("encrypted", "webcrypto"), undefined, ratio],
  ];
  const known = rows.map(([name, value, most, show]) => {
    return { name, values: ["least", "median", "round"].map(value), most, show };
  });
  return known.filter(({ values }) => values.every(Number.isFinite));
}

export function targetsTable(found) {
  const met = ({ values, most }) => {
    if (most === undefined) return "";
    const count = values.filter((value) => value <= most).length;
    return ["missed", "met by one of the three", "met by two of the three", "met"][count];
  };
  return table(
    ["target", "at most", "by the least", "by the median", "by the rounds", ""],
    found.map((it) => [it.name, it.most ?? "–", ...it.values.map(it.show), met(it)]),
  );
}

/** CPU per request and requests a second, for each case and Worker. */
export function workersTables(results) {
  const cells = (slots) => {
    const { least, median, spread } = summary(slots.map(({ cpu }) => cpu));
    return `${us(least)} / ${us(median)} / ${us(spread)}`;
  };
  const quotient = (by, worker) => {
    const of = (kind, name) => summary(by[name].map(({ cpu }) => cpu))[kind];
    return ["least", "median"].map((kind) => ratio(of(kind, "countersign") / of(kind, worker))).join(" / ");
  };
  const perSecond = (slots) => {
    const { least, median, spread } = summary(slots.map((slot) => slot.perSecond));
    return [least, median, spread].map((number) => Math.round(number)).join(" / ");
  };
  const workers = Object.keys(FILES);
  const others = workers.filter((worker) => worker !== "countersign");
  return [
    "CPU microseconds per request, least / median / spread (distance between the quartiles):",
    table(["case", ...workers], [...results].map(([it, by]) => [it.name, ...workers.map((worker) => cells(by[worker]))])),
    "Countersign's CPU as a multiple of the others', by the least / by the median:",
    table(
      ["case", ...others.map((worker) => `of ${OTHERS[worker] ?? worker}`)],
      [...results].map(([it, by]) => [it.name, ...others.map((worker) => quotient(by, worker))]),
    ),
    "Requests a second, least / median / spread, with load generator and origin on the same machine:",
    table(["case", ...workers], [...results].map(([it, by]) => [it.name, ...workers.map((worker) => perSecond(by[worker]))])),
  ].join("\n\n");
}

/** CPU of the Workers alone, for each case. */
export function aloneTable(alone) {
  const cells = (slots) => {
    const { least, median } = summary(slots.map(({ cpu }) => cpu));
    return `${us(least)} / ${us(median)}`;
  };
  const workers = Object.keys(FILES);
  const rows = [...alone].map(([it, by]) => [it.name, ...workers.map((worker) => cells(by[worker]))]);
  return table(["case", ...workers], rows);
}

/** The core natively, in microseconds. */
export function nativeTables({ formats, gate, peers }) {
  const us = (nanoseconds) => (nanoseconds / 1000).toFixed(2);
  const pair = ({ least, median }) => `${us(least)} / ${us(median)}`;
  const dimensions = { fallbacks: "fallbacks", unmanaged: "unmanaged cookies", bytes: "bytes" };
  const own = (format) => Object.entries(formats).find(([name]) => name.startsWith(`${format}:`));
  return [
    "Open under one key and seal under another, in µs, least / median:",
    table(
      ["library", "bytes", "its time", "Countersign's core"],
      peers.map((peer) => {
        const core = peer.format && own(peer.format);
        return [peer.name, peer.bytes, pair(peer), core ? pair(core[1].both) : "–"];
      }),
    ),
    "Each format, on a value that the real framework made, in µs, least / median:",
    table(
      ["format", "bytes", "open", "seal", "both"],
      Object.entries(formats).map(([name, { open, seal, both }]) => [...name.split(":"), pair(open), pair(seal), pair(both)]),
    ),
    "The gate on a request with one Django session, in µs, least / median:",
    ...Object.entries(dimensions).map(([key, name]) =>
      table([name, ...gate[key].map(({ number }) => number)], [["µs", ...gate[key].map(pair)]]),
    ),
    "![The gate's cost against fallbacks, unmanaged cookies and bytes](cost.svg)",
  ].join("\n\n");
}

/** The panels of cost.svg. */
export function costPanels({ gate }) {
  const points = (key) => gate[key].map(({ number, median }) => [number, median / 1000]);
  return [
    { title: "A cookie under the last fallback", x: "fallbacks", y: "µs a request", points: points("fallbacks") },
    { title: "Cookies that nothing manages", x: "cookies", y: "µs a request", points: points("unmanaged") },
    { title: "A longer cookie", x: "bytes", y: "µs a request", points: points("bytes") },
  ];
}

export function startUpTables(sides, marks, kept, live) {
  const three = (values) => {
    const { least, median, spread } = summary(values);
    return [least, median, spread].map(us).join(" / ");
  };
  const median = ({ milliseconds }) => summary(milliseconds).median;
  const nothing = sides.find(({ worker }) => worker === "pass-through");
  return [
    table(
      ["", "bytes gzipped", "cold workerd to first answer, ms", "beyond the pass-through", "its CPU, ms"],
      sides.map((it) => [
        ...[it.worker, it.gzipped, three(it.milliseconds)],
        ...[us(median(it) - median(nothing)), three(it.cpu)],
      ]),
    ),
    `Least / median / spread of ${sides[0].milliseconds.length} starts in turns. Private memory of workerd in MiB after so many requests, re-signed both ways:`,
    table(["", ...marks], kept.map(({ worker, values }) => [worker, ...values.map(us)])),
    "In another run, what lived on after a forced collection, in KiB: V8's heap by its own account, and the memory of the wasm:",
    table(["", ...marks], live.map(({ worker, values }) => [worker, ...values.map(({ heap, wasm }) => `${heap} + ${wasm}`)])),
  ].join("\n\n");
}
