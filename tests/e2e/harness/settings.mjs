// Keys, rules and configurations that many tests share.

/** Secrets by key id; none is a key of anything. */
export const SECRETS = {
  NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81",
  OLD_KEY: "old-key-of-the-ring-90be77ac13d84f2265",
  ORIGIN_KEY: "django-insecure-#key$of(the)origin*5b1e8",
  RETIRED_KEY: "retired-key-once-of-the-ring-c07d6612fe",
};

/** The rule for Django's session cookie, with Django's own attributes. */
export const SESSION = {
  name: "sessionid",
  format: "django-session",
  max_age: 1209600,
  attributes: "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600",
};

/** The first topology after a rotation: a ring of its own in front of an origin that keeps its key. */
export function pinned(changes = {}) {
  return {
    mode: "enforce",
    reports: "all",
    keys: { current: "NEW_KEY", fallbacks: ["OLD_KEY"], origin: "ORIGIN_KEY" },
    cookies: [SESSION],
    ...changes,
  };
}

/** The first day: the ring is the origin's own key and nothing else. */
export function firstDay(changes = {}) {
  return pinned({ keys: { current: "ORIGIN_KEY", origin: "ORIGIN_KEY" }, ...changes });
}

/** Seconds since 1970, as the time of `seconds` ago. */
export const ago = (seconds) => Math.floor(Date.now() / 1000) - seconds;
