// Spellings that might smuggle a cookie called `name` with the value `evil` past a gate that looks for that name.
//
// A spelling is { trick, text }: text stands where a browser would put one cookie or more; each character is one byte.

export const NAMES = ["sessionid", "user_id", "_app_session", "__Host-sid"];

const latin1 = (text) => Buffer.from(text, "utf8").toString("latin1");

// CR and LF end a header line, so no parser of cookies ever sees them ("header split" tries them); NUL is up to the HTTP parser.
const BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((c) => c !== "\r" && c !== "\n");

const WHITE_SPACE = [
  0x85, 0xa0, 0x1680, 0x180e, ...Array.from({ length: 12 }, (_, i) => 0x2000 + i), 0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x3000, 0xfeff,
].map((code) => latin1(String.fromCodePoint(code)));

const BROKEN_UTF8 = ["\xc2", "\xe2\x80", "\xf0\x9f\x98", "\xc0\xa0", "\xc0\xbd", "\xc0\xbb", "\xe0\x80\xa0", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff\xfe", "\xfe\xff", "\x80\x80"];

// Parsers give each of these, or the class it stands for, a meaning; the other bytes stand at the most telling places only.
const TELLING = [...BYTES.filter((c) => c < "0" || (c > "9" && c < "A") || (c > "Z" && c < "a") || (c > "z" && c <= "\x7f")), ..."0Zx", ..."\x80\x85\x8a\xa0\xad\xbf\xc0\xc2\xdf\xe2\xff", ...WHITE_SPACE, ...BROKEN_UTF8];

const hex = (c, upper = true) => {
  const digits = c.charCodeAt(0).toString(16).padStart(2, "0");
  return "%" + (upper ? digits.toUpperCase() : digits);
};

const swapCase = (name) => name.replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

const capital = (name) => name.replace(/[a-z]/i, (c) => c.toUpperCase());

/** Every byte at the places where a parser might cut or trim. */
function* anyByte(name, evil) {
  for (const odd of BYTES) {
    const places = {
      "before the name": `${odd}${name}=${evil}`,
      "after the name": `${name}${odd}=${evil}`,
      "twice around the name": `${odd}${odd}${name}${odd}${odd}=${evil}`,
      "before the value": `${name}=${odd}${evil}`,
      "after the value": `${name}=${evil}${odd}`,
      "as a separator": `x=1${odd}${name}=${evil}`,
      "as a separator and a space": `x=1${odd} ${name}=${evil}`,
      "after the separator": `x=1;${odd}${name}=${evil}`,
      "after the name, then junk": `${name}${odd}x=${evil}`,
    };
    for (const [trick, text] of Object.entries(places)) yield { trick, text };
  }
}

/** Every telling byte or sequence at every other place of a pair. */
function* tellingBytes(name, evil) {
  const middle = name.length >> 1;
  for (const odd of TELLING) {
    const places = {
      "around the name": `${odd}${name}${odd}=${evil}`,
      "after a space before the name": ` ${odd}${name}=${evil}`,
      "before a space before the name": `${odd} ${name}=${evil}`,
      "before a space after the name": `${name}${odd} =${evil}`,
      "after a space after the name": `${name} ${odd}=${evil}`,
      "around the value": `${name}=${odd}${evil}${odd}`,
      "in place of =": `${name}${odd}${evil}`,
      "as a separator without a value": `x${odd}${name}=${evil}`,
      "as a separator twice": `x=1${odd}${odd}${name}=${evil}`,
      "as a separator, name alone": `x=1${odd}${name}`,
      "before the separator": `x=1${odd};${name}=${evil}`,
      "as a cookie": `${odd}; ${name}=${evil}`,
      "as a name": `${odd}=1; ${name}=${evil}`,
      "as a name before =": `${odd}=${name}=${evil}`,
      "as a value": `x=${odd}; ${name}=${evil}`,
      "at the start of a value": `x=${odd}${name}=${evil}`,
      "within a quoted value": `x="${odd}${name}=${evil}"`,
      "after a quoted value": `x="1"${odd}${name}=${evil}`,
      "after the name, then junk, closed": `${name}${odd}x]=${evil}`,
      "inside the name": `${name.slice(0, middle)}${odd}${name.slice(middle)}=${evil}`,
      "before the name alone": `${odd}${name}`,
      "after the name alone": `${name}${odd}`,
      "escaped in a quoted name": `"\\${odd}${name}"=${evil}`,
    };
    for (const [trick, text] of Object.entries(places)) yield { trick, text };
  }
}

// Some parser starts a name behind each of these, or might.
const CUTTING = [" ", ", ", ",", "\t", "\x0b", "\x0c", "\x1f", '"', "[", "]", "\\", "\x85", "\xa0", latin1("\u2003"), '"1" ', "=", "&", "|"];

/** A name in the value of another cookie, with every telling byte or sequence between it and a `=`. */
function* inValues(name, evil) {
  for (const cut of CUTTING) {
    for (const odd of TELLING) {
      yield { trick: "in a value, before =", text: `x=1${cut}${name}${odd}=${evil}` };
      yield { trick: "in a value, before a space and =", text: `x=1${cut}${name}${odd} =${evil}` };
      yield { trick: "in a value, after a space before =", text: `x=1${cut}${name} ${odd}=${evil}` };
      yield { trick: "in a value, in place of =", text: `x=1${cut}${name}${odd}${evil}` };
    }
    for (const tail of ["=", "= ", "=;y", "==", " = = ", "[x]=", "[]=", "[=", "%3D", "%3d", "%5Bx%5D=", " %3D", "%20=", "%00=", "+=", ".=", "-=", '"=', '" =', ",=", ", =", ""]) {
      yield { trick: "in a value, then odd ends", text: `x=1${cut}${name}${tail}${evil}` };
      yield { trick: "in a quoted value, then odd ends", text: `x="1${cut}${name}${tail}${evil}"` };
    }
  }
}

/** What sites keep in cookies, with a managed name as a word: no parser reads a cookie of that name in it. */
export function innocents(name) {
  return [
    `prefs={"theme":"dark","${name}":"compact"}`,
    `prefs={"${name}":{"on":true},"a":[1,2]}`,
    `prefs={"${name}":["a","b"]}`,
    `prefs=["${name}","theme"]`,
    `prefs={"a":"${name}"}`,
    `prefs={${name}:[1,2],theme:'dark'}`,
    `search=red ${name} bag`,
    `q=leather,${name},bag`,
    `q=${name}, bag`,
    `q=a, ${name}`,
    `q="${name}"`,
    `q="red ${name} bag"`,
    `q="${name}","bag"`,
    `q=a ${name}? b=c`,
    `q=a ${name}: b`,
    `q=a ${name}/b=c`,
    `q=a ${name}&sort=asc`,
    `q=a (${name})`,
    `consent=necessary,${name}`,
    `note="${name}"`,
    `last=[${name}]`,
    `tags=[red][${name}][bag]`,
    `title=Jam ${name}`,
    `tabs=home\t${name}\tcart`,
    `tabs=home|${name}|cart`,
    `path=a\\${name}\\b`,
    latin1(`words=Zo\u00eb ${name} \u2014 fin`),
    `OptanonConsent=isGpcEnabled=0&datestamp=Mon+Jan+05+2026+10:00:00+GMT&groups=C0001:1,${name}:0,C0004:1`,
    `cookieyes-consent=consentid:Zm9v,consent:yes,action:yes,necessary:yes,${name}:no`,
    `cmplz_banner-status=dismissed, ${name}`,
    `_ga=GA1.1.1700000000.1700000000|${name}`,
  ];
}

/** Values that an application signs as a visitor wrote them, with a managed name in them. */
export const carrying = (name, evil) => [...CUTTING, ";", "; ", ",x=1;"].flatMap((cut) => [`x${cut}${name}=${evil}`, `x"${cut}${name} =${evil}`, `${cut}${name}=${evil}${cut}`]);

/** The trick of a header with such a value, rightly signed. */
export const VERIFIED = "in a verified value";

/** The trick of a header with one of them. */
export const INNOCENT = "no look-alike";

function* encodedBytes(name, evil) {
  for (const odd of TELLING.filter(({ length }) => length === 1)) {
    for (const [way, code] of Object.entries({ once: hex(odd), "in lower case": hex(odd, false), twice: `%25${hex(odd).slice(1)}` })) {
      const places = {
        "before the name": `${code}${name}=${evil}`,
        "after the name": `${name}${code}=${evil}`,
        "as a separator": `x=1${code}${name}=${evil}`,
        "after the name, then junk": `${name}${code}x=${evil}`,
        "in place of =": `${name}${code}${evil}`,
      };
      for (const [place, text] of Object.entries(places)) yield { trick: `percent-encoded ${way}, ${place}`, text };
    }
  }
}

/** What might be read as `_`, as PHP reads a dot and a space. */
function* underscores(name, evil) {
  if (!name.includes("_")) return;
  for (const odd of TELLING) {
    for (const code of odd.length === 1 ? [odd, hex(odd), hex(odd, false)] : [odd]) {
      yield { trick: "in place of _", text: `${name.replaceAll("_", code)}=${evil}` };
      yield { trick: "in place of the first _", text: `${name.replace("_", code)}=${evil}` };
      yield { trick: "in place of the last _", text: `${name.replace(/_(?=[^_]*$)/, code)}=${evil}` };
      yield { trick: "in place of _, then an array", text: `${name.replaceAll("_", code)}[x]=${evil}` };
    }
  }
}

function* encodedNames(name, evil) {
  const codes = [...name];
  const encoded = {
    "the first letter": hex(name[0]) + name.slice(1),
    "the last letter": name.slice(0, -1) + hex(name.at(-1)),
    "every letter": codes.map((c) => hex(c)).join(""),
    "every letter, lower-case hex": codes.map((c) => hex(c, false)).join(""),
    "every other letter": codes.map((c, i) => (i % 2 ? c : hex(c))).join(""),
    "twice": codes.map((c) => "%25" + hex(c).slice(1)).join(""),
    "the first letter twice": "%25" + hex(name[0]).slice(1) + name.slice(1),
    "every letter three times": codes.map((c) => "%2525" + hex(c).slice(1)).join(""),
    "%u": codes.map((c) => "%u00" + hex(c).slice(1)).join(""),
    "a broken sequence after": `${hex(name[0])}${name.slice(1)}%`,
    "a broken sequence before": `%${hex(name[0])}${name.slice(1)}`,
    "a broken sequence of two": `%zz${name}`,
    "octal": codes.map((c) => "\\" + c.charCodeAt(0).toString(8).padStart(3, "0")).join(""),
    "octal in quotes": `"${codes.map((c) => "\\" + c.charCodeAt(0).toString(8).padStart(3, "0")).join("")}"`,
    "\\u": codes.map((c) => "\\u00" + hex(c).slice(1)).join(""),
    "\\x": codes.map((c) => "\\x" + hex(c).slice(1)).join(""),
    "entities": codes.map((c) => `&#${c.charCodeAt(0)};`).join(""),
    "full width": latin1(codes.map((c) => (c > " " ? String.fromCodePoint(c.charCodeAt(0) + 0xfee0) : c)).join("")),
    "RFC 2047": `=?utf-8?B?${Buffer.from(name).toString("base64")}?=`,
    "RFC 2047, Q": `=?utf-8?q?${name}?=`,
    "RFC 8187": `${name}*`,
    "overlong": codes.map((c) => String.fromCharCode(0xc0 | (c.charCodeAt(0) >> 6), 0x80 | (c.charCodeAt(0) & 63))).join(""),
    "UTF-16": codes.map((c) => `\0${c}`).join(""),
    "the eighth bit": codes.map((c) => String.fromCharCode(c.charCodeAt(0) | 128)).join(""),
    "long s": latin1(name.replaceAll("s", "\u017f")),
    "dotless i": latin1(name.replaceAll("i", "\u0131")),
    "upper case": name.toUpperCase(),
    "lower case": name.toLowerCase(),
    "capital": capital(name),
    "swapped case": swapCase(name),
  };
  for (const [way, text] of Object.entries(encoded)) {
    yield { trick: `name encoded: ${way}`, text: `${text}=${evil}` };
    yield { trick: `name encoded: ${way}, alone`, text };
    yield { trick: `name encoded: ${way}, as an array`, text: `${text}[x]=${evil}` };
    yield { trick: `name encoded: ${way}, after a space`, text: `x=1; ${text} =${evil}` };
    yield { trick: `name encoded: ${way}, after a comma`, text: `x=1,${text}=${evil}` };
    yield { trick: `name encoded: ${way}, after =`, text: `=${text}=${evil}` };
  }
}

function* quotes(name, evil) {
  const texts = [
    `"${name}=${evil}`, `"${name}=${evil}"`, `"${name}"=${evil}`, `"${name}"="${evil}"`, `${name}="${evil}"`, `${name}="${evil}`, `${name}=${evil}"`,
    `'${name}'=${evil}`, `${name}='${evil}'`, `\`${name}\`=${evil}`,
    `x="; ${name}=${evil}`, `x="y; ${name}=${evil}"`, `x="y; ${name}=${evil}; z="`, `x="y"; ${name}="${evil}"`, `x="\\"; ${name}=${evil}; y="`, `x="\\"; ${name}=${evil}"`,
    `x="\\\\"; ${name}=${evil}; y="`, `x="a" ${name}=${evil}`, `x="a"${name}=${evil}`, `x="a",${name}=${evil}`, `x="a"y"; ${name}=${evil}; z="b"`, `x="a"; "${name}=${evil}; z="b"`,
    `x='; ${name}=${evil}; y='`, `x="${name}=${evil}"`, `x="a; y=b" ${name}=${evil}`, `x=a"b; ${name}=${evil}; y=c"d`, `x=""; ${name}=${evil}`, `x="""; ${name}=${evil}; y="`,
    `x="\\073 ${name}=${evil}"`, `x="a\\"; ${name}=${evil}; y=\\"b"`, `x=\\"; ${name}=${evil}; y=\\"`, `x= "a; ${name}=${evil}; y= b"`, `x="a;${name}=${evil}`, `x="a,${name}=${evil}"`,
    `x="`, `x="a`, `x="\\`, `x="\\"`, `x="a\\`, `"`, `""`, `"x`, `"x"`, `"x=`, `x"=1`, `x"`, `x=a"`, `x='`, `'`, `\\`, `x=\\`, `x="a"b`, `x="a"b"`, `x="a"; y="`, `x="a;`, `x="a,`, `x="a; y=b`, `x="a, y="b`,
  ];
  for (const text of texts) {
    yield { trick: "quotes", text };
    yield { trick: "quotes, no space", text: text.replaceAll("; ", ";") };
  }
}

function* shapes(name, evil) {
  const words = name.split("_");
  const texts = {
    "array": [`${name}[]=${evil}`, `${name}[x]=${evil}`, `${name}[0]=${evil}`, `${name}[x][y]=${evil}`, `${name}[=${evil}`, `${name}[x=${evil}`, `${name}]=${evil}`, `${name}[x]y=${evil}`, `[${name}]=${evil}`, `[${name}=${evil}`, `x[${name}]=${evil}`, `${name}[[]=${evil}`, `${name} [x]=${evil}`, `${name}.[x]=${evil}`, ` [${name}]=${evil}`, `${name}{x}=${evil}`, `${name}(x)=${evil}`, `${name}.x=${evil}`, `${name}->x=${evil}`, `${name}:x=${evil}`, `${name}[]`, `${name}[x]`],
    "other separators for _": words.length > 1 ? [".", " ", "+", "%20", "%2E", "%2e", "%5F", "%5f", "[", "%5B", "-", "__", "%2B", "\t", "%09", "%00", ""].flatMap((c) => [`${words.join(c)}=${evil}`, `${words.join(c)}[x]=${evil}`, `${words.join(c)}`, `x=1; ${words.join(c)} =${evil}`, ` ${words.join(c)}=${evil}`]) : [],
    "without =": [name, ` ${name}`, `${name} `, `${name};`, `x; ${name}`, `x ${name}`, `${name} x=1`, `${name},x=1`, `${name}"`, `"${name}"`, `x=1; ${name}; y=2`],
    "many =": [`=${name}=${evil}`, `==${name}=${evil}`, `= ${name}=${evil}`, `${name}==${evil}`, `${name}= =${evil}`, `${name} = = ${evil}`, `=${name}`, `=${evil}; ${name}`, `x==${name}=${evil}`, `x=${name}=${evil}`, `=; ${name}=${evil}`, `=x; ${name}=${evil}`, `=x=${name}=${evil}`],
    "empty": [`${name}=`, `${name}= `, `${name}=""`, `${name}=;`, `${name}=%00`, `; ${name}=${evil}`, `;;${name}=${evil}`, `; ; ;${name}=${evil};;`, `;`, `;;`, ` ;`, `,`, `,,`],
    "spaces": [`${name} =${evil}`, `${name}= ${evil}`, `${name} = ${evil}`, `${name}\t=${evil}`, `${name}=\t${evil}`, `x=1;${name}=${evil}`, `x=1;\t${name}=${evil}`, `x=1 ;${name}=${evil}`, `x=1  ${name}=${evil}`, `x = 1 ${name} = ${evil}`, `x =1 ${name}=${evil}`, `x ${name} =${evil}`, `x, ${name} =${evil}`],
    "old syntax": [`$Version=1; ${name}=${evil}`, `$Version="1"; ${name}="${evil}"; $Path="/"`, `$Version=1,${name}=${evil}`, `$Version=1 ${name}=${evil}`, `$Version=0; x=1; $${name}=${evil}`, `$${name}=${evil}`, `$$${name}=${evil}`, `$Path=/; ${name}=${evil}`, `$Version=1; x="${name}=${evil}"`, `$Version=1; x="a; ${name}=${evil}"`, `$Version=1; x="a\\"; ${name}=${evil}; y="`, `$Version=1`, `$version=1`, `$Version="1"`, `$Version`, `$Path=/x`, `$Domain=x`, `$Port`, `$Version=1; x=${name}=${evil}`, `$Version=1; ${name}`, `$Version=1; x=1, ${name}=${evil}`, `$Version=1, ${name}="${evil}"; $Path=/`, `$Version="1`, `$Version=1; x="`],
    "attributes": [`Path=/; ${name}=${evil}`, `path=/`, `expires=Thu, 01 Jan 2026 00:00:00 GMT; ${name}=${evil}`, `expires=Thu, ${name}=${evil}`, `x=Mon, 01-Jan-2026 00:00:00 GMT ${name}=${evil}`, `x=1; expires=Mon, 01-Jan-2026 00:00:00 GMT`, `secure`, `httponly`, `x=1; Secure; HttpOnly`, `Max-Age=0`, `Domain=x`, `comment=x ${name}=${evil}`],
    "prototype": [`__proto__=${evil}`, `__proto__[${name}]=${evil}`, `constructor=${evil}`, `toString=${evil}`],
    "long": [`${"x".repeat(5000)}=1; ${name}=${evil}`, `x=${"y".repeat(5000)} ${name}=${evil}`, `${" ".repeat(5000)}${name}=${evil}`, `${name}${" ".repeat(5000)}=${evil}`, `${name}=${evil.padEnd(20_000, evil)}`, `${";".repeat(2000)}${name}=${evil}`, `${"%20".repeat(500)}${name}=${evil}`],
    "in a value": [`x=${name}=${evil}`, `x=1&${name}=${evil}`, `x=1%3B%20${name}=${evil}`, `x=1%26${name}=${evil}`, `x={"${name}":"${evil}"}`, `x={"${name}=${evil}"}`, `x=1|${name}=${evil}`, `x=j:{"${name}":"${evil}"}`, `x=1/${name}=${evil}`, `x=1:${name}=${evil}`, `x=(${name}=${evil})`, `x=<${name}=${evil}>`, `x=[${name}=${evil}]`],
    "NAME.sig": [`${name}.sig=${evil}`, `${name}.sig =${evil}`, `${name} .sig=${evil}`, ` ${name}.sig=${evil}`, `${name}_sig=${evil}`, `${name}.SIG=${evil}`],
    "header split": [`x=1\x00${name}=${evil}`, `x=1\x0b${name}=${evil}`, `x=1\x85${name}=${evil}`, `x=1\u0028${name}=${evil}`, `x=1%0d%0aCookie: ${name}=${evil}`, `x=1%0aCookie:${name}=${evil}`, `x=1\rCookie: ${name}=${evil}`, `x=1\nCookie: ${name}=${evil}`, `x=1\r\n ${name}=${evil}`, `x=1;\r\n\t${name}=${evil}`, `x=1\r ${name}=${evil}`, `\r\n ${name}=${evil}`],
  };
  for (const [trick, list] of Object.entries(texts)) for (const text of list) yield { trick, text };
}

/** A repeatable source of numbers, so that a failure can be found again (mulberry32). */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function* twoOf(spellings, count, next) {
  const pick = () => spellings[Math.floor(next() * spellings.length)];
  for (let i = 0; i < count; i++) {
    const [first, second] = [pick(), pick()];
    const glue = ["; ", ";", ", ", ",", " ", ""][Math.floor(next() * 6)];
    yield { trick: "two tricks", text: first.text + glue + second.text };
  }
}

/** Sentences of a random grammar: the tokens that parsers give a meaning to, in any order. */
function* babble(name, evil, count, next) {
  const words = name.split(/(?<=_)|(?=_)/);
  const tokens = [name, name, name, name, "=", "=", "=", "=", ";", ";", "; ", " ", ",", '"', '"', "\\", "[", "]", "$", "$Version=1", "%", "%20", "%3D", "%3B", "%22", "%2C", hex(name[0]) + name.slice(1), evil, evil, "x", "x=1", "\t", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\xc2\xa0", "\xc2\x85", "\xe3\x80\x80", "\xef\xbb\xbf", "\xff", "'", "+", ".", "&", ":", "/", "@", "(", "{", "<", "?", "#", "*", "-", "_", "~", "|", "^", "`", "!", capital(name), ...words];
  for (let i = 0; i < count; i++) {
    const length = 2 + Math.floor(next() * 9);
    let text = "";
    for (let j = 0; j < length; j++) text += tokens[Math.floor(next() * tokens.length)];
    yield { trick: "babble", text };
  }
}

/** The tricks of a header with the good cookie alone, of one with a false cookie in a second Cookie header, and of one
 * with a quote before the good cookie that some parser does not end. */
export const CLEAN = "none";
export const JOINED = "two headers";
export const OPEN_QUOTE = "an open quote before it";

const QUOTE_OPENERS = ['x="', 'x="a', 'x="a b', 'x="\\', 'x="\\"', 'x="a\\', 'x= "a', 'x="a, y=b', 'x="a; y=b', 'x="a;y=b', 'x="a"; y="b', 'x="a; y=b; z=c', '"x=1', 'x="a; y="b'];

/** Every spelling for one name; what does not depend on the name is shared out among the four. */
function spellings(name, evil, share, { count, seed }) {
  const shared = [...anyByte(name, evil), ...tellingBytes(name, evil), ...inValues(name, evil), ...encodedBytes(name, evil)].filter((_, n) => n % NAMES.length === share);
  const own = [...shapes(name, evil), ...quotes(name, evil), ...encodedNames(name, evil), ...underscores(name, evil)];
  const fixed = [...own, ...shared];
  const next = random(seed + share);
  return [...fixed, ...twoOf(fixed, count, next), ...babble(name, evil, count, next)];
}

/**
 * Every request: `{name, trick, headers, good}` with `good` telling whether the good cookie is in it.
 * `cookies` holds `{good, evil, forOrigin, verified}` by name; the same seed gives the same requests.
 */
export function corpus(cookies, options) {
  return NAMES.flatMap((name, share) => {
    const { good, evil, forOrigin, verified } = cookies[name];
    const clean = { trick: CLEAN, headers: [`${name}=${good}`], good: true };
    const joined = [["a=1", `${name}=${evil}`], [`${name}=${evil}`, "a=1"], [`${name}=${good}`, `${name}=${evil}`]].map((headers) => ({ trick: JOINED, headers, good: false }));
    const opened = QUOTE_OPENERS.map((text) => ({ trick: OPEN_QUOTE, headers: [`${text}; ${name}=${good}`], good: true }));
    const innocent = innocents(name).flatMap((text) => [[text, `${text}; ${name}=${good}`], [text, `${name}=${good}; ${text}`]]);
    const harmless = innocent.map(([text, header]) => ({ trick: INNOCENT, headers: [header], good: true, text }));
    const hostile = spellings(name, evil, share, options).flatMap(({ trick, text }, n) => placed(name, good, text, n).map((rest) => ({ trick, ...rest })));
    const signed = verified.map((text, n) => ({ trick: VERIFIED, headers: [n % 2 ? `${text}; ${name}=${good}` : `${name}=${good}; ${text}`], good: true }));
    return [clean, ...signed, ...joined, ...opened, ...harmless, ...hostile].map((request) => ({ name, forOrigin, ...request }));
  });
}

/** A spelling alone and beside the good cookie, in turn before and after it; some in a Cookie header of their own. */
function placed(name, good, text, n) {
  const beside = n % 2 ? `${text}; ${name}=${good}` : `${name}=${good}; ${text}`;
  const alone = n % 4 < 2 ? text : `a=1; ${text}; b=2`;
  const requests = [{ headers: [alone], good: false }, { headers: [beside], good: true }];
  if (n % 8 === 0) requests.push({ headers: [`${name}=${good}`, text], good: true });
  if (n % 8 === 4) requests.push({ headers: [text, "a=1"], good: false });
  return requests;
}
