// What is measured: for each case what a browser sends, what the origin sets, and what either must be shown.
import { djangoResealed, djangoSession, fernetRead, fernetResealed, fernetToken } from "./cookies.mjs";

const NOW = Math.floor(Date.now() / 1000);
const AGE = 86_400;
export const MAX_AGE = 1_209_600;
const ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax";
const NAME = "sessionid";

/** Secrets by key id; none is a key of anything. */
const DJANGO_SECRETS = {
  CURRENT_KEY: "current-key-of-the-ring-4f1d0a9be5c2773e81",
  FALLBACK_1: "first-fallback-of-the-ring-90be77ac13d84f22",
  FALLBACK_2: "second-fallback-of-the-ring-1b3d5f7092b4d6",
  FALLBACK_3: "third-fallback-of-the-ring-c07d6612fe35ab90",
  ORIGIN_KEY: "django-insecure-#key$of(the)origin*5b1e8",
  STRANGER: "stranger-who-signs-what-nobody-knows-77e1",
};

const FERNET_SECRETS = Object.fromEntries(
  Object.keys(DJANGO_SECRETS).map((id, at) => [id, Buffer.alloc(32, 0x51 + 7 * at).toString("base64url") + "="]),
);

const FALLBACKS = ["FALLBACK_1", "FALLBACK_2", "FALLBACK_3"];

/** The formats that cases use: how cookies are made, and how each Worker is told of them. */
export const FORMATS = {
  django: {
    secrets: DJANGO_SECRETS,
    format: "django-session",
    make: djangoSession,
    resealed: (from, to, value) => djangoResealed(DJANGO_SECRETS[to], value),
    /** What must be equal in two texts. */
    read: (text) => text,
  },
  fernet: {
    secrets: FERNET_SECRETS,
    format: "fernet",
    make: fernetToken,
    resealed: (from, to, value) => fernetResealed(FERNET_SECRETS[from], FERNET_SECRETS[to], value),
    // every token has an initialisation vector of its own: what counts is what it says under the right key
    read: (text, key) =>
      text.replace(/(?<=sessionid=)[^;]+/g, (value) => `<${fernetRead(FERNET_SECRETS[key], value) ?? value}>`),
    isRandom: true,
  },
};

/** Countersign's configuration for a format. */
export function countersignConfig(format) {
  return {
    mode: "enforce",
    keys: { current: "CURRENT_KEY", fallbacks: FALLBACKS, origin: "ORIGIN_KEY" },
    cookies: [
      {
        name: NAME,
        format: FORMATS[format].format,
        max_age: MAX_AGE,
        attributes: `${ATTRIBUTES}; Max-Age=${MAX_AGE}`,
      },
    ],
  };
}

/** The peer's configuration for a format. */
export function peerRule(format) {
  return { name: NAME, format, ring: ["CURRENT_KEY", ...FALLBACKS], origin: "ORIGIN_KEY", max_age: MAX_AGE };
}

/** What the limit answers: the edits of every case of a format. */
export function limitEdits(format) {
  const edits = { name: NAME, forward: {}, back: {}, upgrade: {} };
  for (const { value, forwarded, set, returned, upgraded } of CASES.filter((it) => it.format === format)) {
    if (forwarded !== undefined) edits.forward[value.slice(-12)] = forwarded;
    if (set) edits.back[set.slice(-12)] = returned;
    if (upgraded) edits.upgrade[value.slice(-12)] = upgraded;
  }
  return edits;
}

/** Cookies as sites have them beside their own: analytics, consent, tests, a shop's and a chat's. */
const UNMANAGED = [
  "_ga=GA1.1.1085921456.1762941507",
  "_ga_K3XZ0QW1TD=GS2.1.s1763712840$o14$g1$t1763712901$j60$l0$h0",
  "_gid=GA1.2.871230945.1763700021",
  "_gcl_au=1.1.1930284756.1762941508",
  "_fbp=fb.1.1762941508123.480192837465012938",
  "csrftoken=kZ3vX9qLw7RtY2uBn5MpE8sDf1GhJ4Kc",
  "django_language=de",
  "cookieconsent_status=dismiss",
  "OptanonAlertBoxClosed=2026-11-12T09:58:27.113Z",
  "OptanonConsent=isGpcEnabled=0&datestamp=Fri+Nov+20+2026+10%3A14%3A02+GMT%2B0100&version=202409.1.0&hosts=&groups=C0001%3A1%2CC0002%3A0",
  "theme=dark",
  "tz=Europe%2FBerlin",
  "_hjSessionUser_2938471=eyJpZCI6IjdmMWUyYjYzLTRhOWMtNWQwZSJ9",
  "_hjSession_2938471=eyJpZCI6IjFjMmQzZTRmIiwiYyI6MTc2MzcxMn0=",
  "intercom-id-x7f2k9q1=5b0c1d2e-3f4a-5b6c-7d8e-9f0a1b2c3d4e",
  "intercom-device-id-x7f2k9q1=0f9e8d7c-6b5a-4c3d-2e1f-0a9b8c7d6e5f",
  "ab_checkout=variant-b",
  "cart=7f3e2a1b-90cd-4ef5-a6b7-c8d9e0f1a2b3",
  "recently_viewed=1182%2C2291%2C77%2C10342",
  "seen_banner=1",
];

const key = (format, id) => FORMATS[format].secrets[id];
const made = (format, id, length, seed) =>
  FORMATS[format].make(key(format, id), { length, time: NOW - AGE, seed: `${format} ${length} ${seed}` });

/** A cookie that is signed for the other side, both in the request and in the response. */
function resigned(format, length, seed) {
  const [value, set] = [made(format, "CURRENT_KEY", length, `${seed} up`), made(format, "ORIGIN_KEY", length, `${seed} down`)];
  return {
    format,
    value,
    set,
    forwarded: FORMATS[format].resealed("CURRENT_KEY", "ORIGIN_KEY", value),
    returned: FORMATS[format].resealed("ORIGIN_KEY", "CURRENT_KEY", set),
  };
}

/** A cookie under a fallback: forwarded, and upgraded since a page is opened. */
function underFallback(id) {
  const value = made("django", id, 230, id);
  const current = FORMATS.django.resealed(id, "CURRENT_KEY", value);
  return {
    format: "django",
    value,
    forwarded: FORMATS.django.resealed(id, "ORIGIN_KEY", value),
    upgraded: `${NAME}=${current}; ${ATTRIBUTES}; Max-Age=${MAX_AGE - AGE}`,
  };
}

/** All cases; `beside` are the unmanaged cookies. The words in `name` are those of RESULTS.md. */
export const CASES = [
  { id: "both-ways", name: "re-signed both ways, 230 bytes", ...resigned("django", 230, "a"), beside: 1 },
  { id: "unmanaged", name: "no managed cookie", format: "django", beside: 3 },
  { id: "current", name: "current key, nothing set", ...oneWay("CURRENT_KEY"), beside: 1 },
  { id: "fallback-1", name: "under the first of three fallbacks, upgraded", ...underFallback("FALLBACK_1"), beside: 1 },
  { id: "fallback-3", name: "under the third of three fallbacks, upgraded", ...underFallback("FALLBACK_3"), beside: 1 },
  { id: "forged", name: "forged", format: "django", value: made("django", "STRANGER", 230, "f"), forwarded: null, beside: 1 },
  { id: "twenty", name: "both ways, twenty unmanaged cookies more", ...resigned("django", 230, "t"), beside: 21 },
  { id: "100-bytes", name: "both ways, 100 bytes", ...resigned("django", 100, "s"), beside: 1 },
  { id: "1-kb", name: "both ways, 1 KB", ...resigned("django", 1024, "m"), beside: 1 },
  { id: "4-kb", name: "both ways, 4 KB", ...resigned("django", 4000, "l"), beside: 1 },
  { id: "encrypted", name: "encrypted (Fernet), both ways, 1 KB", ...resigned("fernet", 1024, "e"), beside: 1 },
].map(withTraffic);

function oneWay(id) {
  const value = made("django", id, 230, "one way");
  return { format: "django", value, forwarded: FORMATS.django.resealed(id, "ORIGIN_KEY", value) };
}

/** The case with the headers of its request and response as they are, and as they have to become. */
function withTraffic(it) {
  // the twenty-first is in all cases
  const others = [...UNMANAGED, "visitor=8c1f"].slice(-it.beside);
  const [before, after] = [others.slice(0, others.length >> 1), others.slice(others.length >> 1)];
  const header = (value) => [...before, ...(value ? [`${NAME}=${value}`] : []), ...after].join("; ");
  const line = (value) => `${NAME}=${value}; ${ATTRIBUTES}; Max-Age=${MAX_AGE}`;
  return {
    ...it,
    cookie: header(it.value),
    setCookies: it.set ? [line(it.set)] : [],
    /** Whether two right answers may differ, if not in length. */
    varies: Boolean(it.upgraded || FORMATS[it.format].isRandom),
    expected: {
      cookie: header(it.forwarded === undefined ? it.value : it.forwarded),
      setCookies: it.set ? [line(it.returned)] : it.upgraded ? [it.upgraded] : [],
      isPrivate: Boolean(it.upgraded),
    },
  };
}
