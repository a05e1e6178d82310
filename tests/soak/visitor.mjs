// A visitor of the soak: one session with its own jar, who knows what the site must know of it.
import { NAVIGATION, parseSetCookie } from "../e2e/harness/browser.mjs";
import { MANAGED, READERS } from "./reading.mjs";

/** How each site is asked and told, by the rule of its cookie. */
const SITES = {
  sessionid: { host: "django.shop.example", write: (value) => ["POST", `/touch?with=${value}`], read: ofDjango },
  flask: { host: "flask.shop.example", write: (value) => ["GET", `/login?user=${value}`], read: ({ text }) => text },
  "connect.sid": {
    host: "express.shop.example",
    write: (value) => ["GET", `/login?user=${value}`],
    read: ({ text }) => text,
    // it gives each login another id, and forgets the one before: an answer that does not arrive leaves the visitor none
    isFragile: true,
  },
  session: { host: "cookies.shop.example", write: (value) => ["GET", `/login?user=${value}`], read: ({ text }) => text },
};

/** What a site says of who has no session. */
export const NOBODY = "nobody";

/** A session at one site; `world` sends its requests (world.mjs), `random` decides what it does. */
export function visitor(name, rule, random, world) {
  const site = SITES[rule];
  const jar = new Map();
  /** What the site may hold of it; more than one where an answer did not arrive. */
  let known = [NOBODY];
  let writes = 0;

  const self = {
    name,
    rule,
    random,
    jar,
    isBusy: false,
    /** The kinds of faults that it has met since the site last knew it. */
    faults: new Set(),
    /** What signed the cookie in its jar, `{key, digest}`: null where nothing did, undefined where there is none. */
    kind: undefined,
    texts: () => READERS[rule].parts.map((part) => jar.get(part)),
    page: async () => look(await self.send("GET", "/", NAVIGATION)),
    script: async () => look(await self.send("GET", "/", SCRIPT)),
    async tabs() {
      const asked = [self.send("GET", "/", NAVIGATION), self.send("GET", "/", SCRIPT), self.send("GET", "/", SCRIPT)];
      for (const reply of await Promise.all(asked)) look(reply);
    },
    /** A page while somebody has planted a bad copy beside the good cookie. */
    async planted(bad) {
      if (self.kind && !world.isBare) look(await self.send("GET", "/", SCRIPT, { beside: bad }));
    },
    async write() {
      writes += 1;
      const value = `${name}-${writes}`;
      const reply = await self.send(...site.write(value), random() < 0.5 ? NAVIGATION : SCRIPT);
      settle(reply, known.map((state) => (rule === "sessionid" ? ofUser(state, value) : value)));
    },
    /** A login with a password, which Django alone has. */
    async login() {
      const reply = await self.send("GET", `/login?item=${name}`, NAVIGATION);
      settle(reply, ["ada|"]);
    },
    async logout() {
      const reply = await self.send("GET", "/logout", NAVIGATION);
      settle(reply, [NOBODY]);
      if (reply.isWhole && self.kind !== undefined) world.problem("others", self, reply, "a cookie is left after a logout");
    },
    act() {
      const chance = random();
      if (known[0] === NOBODY && known.length === 1) return self.write();
      if (chance < 0.4) return self.page();
      if (chance < 0.55) return self.script();
      if (chance < 0.63) return self.tabs();
      if (chance < 0.71) return self.planted(world.forgery(self));
      return chance < 0.97 ? self.write() : self.logout();
    },
    /** Sends a request with what is in the jar, and keeps what comes back. */
    async send(method, path, headers, { beside = [] } = {}) {
      const own = [...jar].map(([name, value]) => `${name}=${value}`);
      const cookie = [...beside.slice(0, 1), ...own, ...beside.slice(1)].join("; ");
      const uses = self.kind ? [`${rule} ${self.kind.key}`] : [];
      const request = { method, path, host: site.host, headers, cookie, uses, random, isRead: path === "/" };
      const reply = await world.send(request, self);
      keep(reply.setCookies);
      return reply;
    },
    site,
  };

  /** Compares what the site says with what it must know. */
  function look(reply) {
    if (!reply.isWhole) return;
    const said = site.read(reply);
    if (known.includes(said)) world.isRight(self, reply);
    else world.problem(said === NOBODY ? "lost" : "wrong", self, reply, `the site says ${outline(said)}`);
    known = [said];
  }
  /** After a request that was to make one of `values` of the session. */
  function settle(reply, values) {
    const before = reply.isWhole ? [] : [...known, ...(site.isFragile ? [NOBODY] : [])];
    known = [...new Set([...before, ...values])];
  }
  function keep(setCookies) {
    for (const text of setCookies) {
      const cookie = parseSetCookie(text);
      // as browsers do with control characters (RFC 6265bis, 5.6); what is not managed says nothing here
      if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text) || !MANAGED.has(cookie.name)) continue;
      const isGone = cookie.maxAge !== undefined ? cookie.maxAge <= 0 : cookie.expires <= Date.now();
      if (isGone) jar.delete(cookie.name);
      else jar.set(cookie.name, cookie.value);
    }
    if (setCookies.length) self.kind = jar.size === 0 ? undefined : world.signerOf(rule, self.texts());
  }
  /** Whose it is, and no more: values are no report's. */
  const outline = (said) =>
    said === NOBODY ? "that there is nobody" : said.includes(`${name}-`) ? "an older value" : "what is another visitor's";
  return self;
}

function ofDjango({ text }) {
  const { user, session } = JSON.parse(text);
  return user || session.touched ? `${user}|${session.touched ?? ""}` : NOBODY;
}

const ofUser = (state, value) => `${state === NOBODY ? "" : state.split("|")[0]}|${value}`;

/** What a script of a page sends. */
export const SCRIPT = {
  Accept: "*/*",
  "Sec-Fetch-Dest": "empty",
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Site": "same-origin",
};
