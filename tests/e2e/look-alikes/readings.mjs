// What each parser makes of what the origin got, and of what was sent.

/**
 * Lets every parser read the requests: parser -> `{arrived, sent}`, maps from a request to its `[name, value]` pairs.
 * `sent` holds the requests with the good cookie in their one header.
 */
export async function readAll(programs, requests) {
  const withGood = requests.filter(({ good, headers }) => good && headers.length === 1 && !/[\r\n]/.test(headers[0]));
  const read = await readerOf(programs, [...requests.map(({ arrived }) => arrived), ...withGood.map(({ headers }) => headers)]);
  const parsers = programs.filter(({ isHere }) => isHere).flatMap(({ parsers }) => parsers);
  return new Map(
    parsers.map((parser) => [
      parser,
      {
        arrived: new Map(requests.map((request) => [request, read(parser, request.arrived)])),
        sent: new Map(withGood.map((request) => [request, read(parser, request.headers)])),
      },
    ]),
  );
}

/**
 * Those of the requests whose good cookie a parser loses to another cookie, alone beside it, that is none of the gate's
 * business (R1): one after it, or one before it that leaves no quote open. A bare word in a value may hide it as well.
 */
export async function innocentlyLost(programs, parser, requests) {
  const tried = requests.map((request) => [request, alone(request)]);
  const read = await readerOf(programs.filter(({ parsers }) => parsers.includes(parser)), tried.flatMap(([, headers]) => headers).map((header) => [header]));
  const loses = (request) => (header) => valuesOf(read(parser, [header]), request.name).every((value) => value === "");
  return new Set(tried.filter(([request, headers]) => headers.some(loses(request))).map(([request]) => request));
}

/** The values that a name was read with. */
export const valuesOf = (pairs, name) => (pairs ?? []).filter(([n]) => n === name).map(([, value]) => value);

function alone({ name, forOrigin, arrived }) {
  const good = `${name}=${forOrigin}`;
  const pairs = arrived.join("; ").split(";").map((pair) => pair.replace(/^[ \t]+/, ""));
  const at = pairs.indexOf(good);
  if (at < 0) return [];
  return pairs.flatMap((pair, n) => {
    if (n > at) return [`${good}; ${pair}`];
    return n < at && !opensQuote(pair) ? [`${pair}; ${good}`] : [];
  });
}

const opensQuote = (pair) => [pair, pair.replace(/\\./g, "")].some((text) => text.split('"').length % 2 === 0);

/** A function from a parser and a request's Cookie headers to the pairs it reads in them; each text is read once. */
async function readerOf(programs, requests) {
  const distinct = [...new Map(requests.filter(({ length }) => length).map((headers) => [keyOf(headers), headers]))];
  const place = new Map(distinct.map(([key], at) => [key, at]));
  const seen = new Map();
  if (distinct.length) {
    await Promise.all(
      programs.filter(({ isHere }) => isHere).map(async ({ parsers, run }) => {
        const answers = await run(distinct.map(([, headers]) => headers));
        for (const parser of parsers) seen.set(parser, answers);
      }),
    );
  }
  return (parser, headers) => seen.get(parser)?.[place.get(keyOf(headers))]?.[parser] ?? [];
}

const keyOf = (headers) => headers.join("\r\n");
