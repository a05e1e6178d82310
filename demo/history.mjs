// What the demo's page shows of the ring: which key had which role since when, as the Worker itself said.

/** The history of one run: `phases` of `{at, title, ring}`, `at` in milliseconds, `ring` of `{key, role}`. */
export class History {
  phases = [];
  #start = 0;

  /** Adds a phase where the Worker's `configuration` gives the keys other roles than before; or one that begins anew. */
  add(configuration, { isStartedOver = false } = {}) {
    if (isStartedOver) this.#start = this.phases.length;
    const ring = this.#ringOf(configuration.keys);
    const before = this.phases.at(-1)?.ring;
    if (before && JSON.stringify(ring) === JSON.stringify(before)) return;
    this.phases.push({ at: Date.now(), title: isStartedOver ? "started over" : changeOf(before, ring), ring });
  }

  /** The keys that have a role now. */
  with(role) {
    return this.phases
      .at(-1)
      .ring.filter((one) => one.role === role)
      .map(({ key }) => key);
  }

  // A fallback is staged until it has been current. The site's own key, and one that ends, have been in use before.
  #ringOf({ current, fallbacks, origin }) {
    const wasCurrent = (key) =>
      this.phases.slice(this.#start).some(({ ring }) => ring.some((one) => one.key === key && one.role === "current"));
    const roleOf = (key, until) => (until || key === nameOf(origin) || wasCurrent(key) ? "fallback" : "staged");
    const others = fallbacks
      .map((one) => ({ key: nameOf(one), until: one.until }))
      .filter(({ key }) => key !== nameOf(current))
      .map(({ key, until }) => ({ key, role: roleOf(key, until) }));
    return [{ key: nameOf(current), role: "current" }, ...others];
  }
}

/** The name of a key, however the configuration writes it. */
export const nameOf = (key) => key.secret ?? key.current ?? key;

function changeOf(before, ring) {
  if (!before) return "start";
  const keys = (list, role) => list.filter((one) => !role || one.role === role).map(({ key }) => key);
  const added = keys(ring).filter((key) => !keys(before).includes(key));
  const removed = keys(before).filter((key) => !keys(ring).includes(key));
  const promoted = keys(ring, "current").filter((key) => !keys(before, "current").includes(key));
  const parts = [
    ...promoted.map((key) => `${key} promoted`),
    ...added.filter((key) => !promoted.includes(key)).map((key) => `${key} staged`),
    ...removed.map((key) => `${key} retired`),
  ];
  return parts.join(", ") || "wrangler.toml edited";
}
