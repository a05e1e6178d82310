// What cookie-session 2.1.1's README promises, as tests of ours: its own are in no package.
const assert = require("node:assert/strict");
const connect = require("connect");
const cookieSession = require("cookie-session");
const Keygrip = require("keygrip");
const request = require("supertest");

const KEY = "key-1-of-the-site-0e5d1a6f9c";
const OLD_KEY = "key-2-of-the-site-b71c44e0d3";

const site = (options, handle) =>
  connect()
    .use(cookieSession({ name: "session", keys: [KEY], ...options }))
    .use(handle);
const views = (req, res) => {
  req.session.views = (req.session.views || 0) + 1;
  res.end(String(req.session.views));
};
const setCookies = (res) => res.headers["set-cookie"] || [];
const cookieOf = (res) => setCookies(res).map((line) => line.split(";")[0]).join("; ");
const attributes = (res) => setCookies(res).map((line) => line.split("; ").slice(1).sort());
const visit = (app, cookie = "", path = "/") => request(app).get(path).set("Cookie", cookie);

describe("cookie-session", () => {
  it("keeps a session from request to request", async () => {
    const app = site({}, views);
    const first = await visit(app, "other=1").expect(200, "1");
    const second = await visit(app, cookieOf(first)).expect(200, "2");
    await visit(app, cookieOf(second)).expect(200, "3");
    await visit(app, cookieOf(first)).expect(200, "2");
  });

  it("sends a cookie and its signature", async () => {
    const res = await visit(site({}, views), "other=1");
    assert.deepEqual(setCookies(res).map((line) => line.split("=")[0]), ["session", "session.sig"]);
  });

  it("has the name `session` by default", async () => {
    const app = connect().use(cookieSession({ keys: [KEY] })).use(views);
    const res = await visit(app, "other=1");
    assert.match(cookieOf(res), /^session=/);
    await visit(app, cookieOf(res)).expect(200, "2");
  });

  it("takes a secret for its keys", async () => {
    const app = connect().use(cookieSession({ secret: KEY })).use(views);
    await visit(app, cookieOf(await visit(app, "other=1"))).expect(200, "2");
  });

  it("reads what another of its keys signed", async () => {
    const before = await visit(site({ keys: [OLD_KEY] }, views), "other=1");
    await visit(site({ keys: [KEY, OLD_KEY] }, views), cookieOf(before)).expect(200, "2");
  });

  it("begins anew where the key is not one of its own", async () => {
    const foreign = await visit(site({ keys: ["key-of-another-site-55e0"] }, views), "other=1");
    await visit(site({}, views), cookieOf(foreign)).expect(200, "1");
  });

  it("begins anew where the value or the signature was changed", async () => {
    const app = site({}, views);
    const cookie = cookieOf(await visit(app, "other=1"));
    const value = Buffer.from('{"views":99}').toString("base64");
    await visit(app, cookie.replace(/session=[^;]*/, `session=${value}`)).expect(200, "1");
    await visit(app, cookie.replace(/sig=./, "sig=_")).expect(200, "1");
    await visit(app, cookie.split("; ")[0]).expect(200, "1");
  });

  it("takes a Keygrip with another digest", async () => {
    const app = site({ name: "custom", keys: new Keygrip([KEY], "sha384", "base64") }, views);
    await visit(app, cookieOf(await visit(app, "other=1"))).expect(200, "2");
  });

  it("keeps any text", async () => {
    const text = 'ö "quoted"; a, b = c \\ é \u{1f36a}';
    const app = site({}, (req, res) => {
      if (req.url === "/set") req.session.text = text;
      res.end(JSON.stringify({ text: req.session.text }));
    });
    const res = await visit(app, "other=1", "/set");
    assert.equal(JSON.parse((await visit(app, cookieOf(res))).text).text, text);
  });

  it("keeps a session as long as browsers take", async () => {
    const text = "x".repeat(2900);
    const app = site({}, (req, res) => {
      if (req.url === "/set") req.session.text = text;
      res.end(req.session.text);
    });
    await visit(app, cookieOf(await visit(app, "other=1", "/set"))).expect(200, text);
  });

  it("says whether a session is new, populated and changed", async () => {
    const app = site({}, (req, res) => {
      const before = [req.session.isNew, req.session.isPopulated];
      if (req.url === "/set") req.session.a = 1;
      res.end(JSON.stringify([before, [req.session.isPopulated, req.session.isChanged]]));
    });
    const first = await visit(app, "other=1", "/set").expect(200, "[[true,false],[true,true]]");
    await visit(app, cookieOf(first)).expect(200, "[[false,true],[true,false]]");
  });

  it("sets no cookie for an empty session", async () => {
    assert.deepEqual(setCookies(await visit(site({}, (req, res) => res.end(String(req.session.a))), "other=1")), []);
  });

  it("sets no cookie where nothing has changed", async () => {
    const app = site({}, (req, res) => {
      if (req.url === "/set") req.session.a = 1;
      res.end(String(req.session.a));
    });
    const res = await visit(app, cookieOf(await visit(app, "other=1", "/set"))).expect(200, "1");
    assert.deepEqual(setCookies(res), []);
  });

  it("destroys a session that is set to null", async () => {
    const app = site({}, (req, res) => {
      if (req.url === "/out") req.session = null;
      else req.session.a = 1;
      res.end();
    });
    const res = await visit(app, cookieOf(await visit(app, "other=1")), "/out");
    const gone = setCookies(res).filter((line) => /^session(\.sig)?=;/.test(line) || /1970/.test(line));
    assert.deepEqual(gone.map((line) => line.split("=")[0]), ["session", "session.sig"].slice(0, gone.length));
    assert.ok(gone.length > 0);
  });

  for (const [title, options, expected] of [
    ["by default", {}, ["httponly", "path=/"]],
    ["path", { path: "/shop" }, ["httponly", "path=/shop"]],
    ["domain", { domain: "shop.example" }, ["domain=shop.example", "httponly", "path=/"]],
    ["httpOnly", { httpOnly: false }, ["path=/"]],
    ["sameSite", { sameSite: "lax" }, ["httponly", "path=/", "samesite=lax"]],
    ["priority", { priority: "high" }, ["httponly", "path=/", "priority=high"]],
  ]) {
    it(`sets the cookie's attributes: ${title}`, async () => {
      const res = await visit(site(options, views), "other=1", options.path);
      assert.deepEqual(attributes(res), [expected, expected]);
    });
  }

  it("sets the cookie's lifetime, for one session too", async () => {
    const app = connect()
      .use(cookieSession({ name: "session", keys: [KEY], maxAge: 60_000 }))
      .use((req, res, next) => {
        req.sessionOptions.maxAge = req.session.maxAge || req.sessionOptions.maxAge;
        next();
      })
      .use((req, res) => {
        req.session.maxAge = 600_000;
        req.session.n = (req.session.n || 0) + 1;
        res.end();
      });
    const lifetimes = (res) => setCookies(res).map((line) => Date.parse(/expires=([^;]+)/.exec(line)[1]) - Date.now());
    const first = await visit(app, "other=1");
    const second = await visit(app, cookieOf(first));
    assert.ok(lifetimes(first).every((ms) => ms > 30_000 && ms <= 60_000));
    assert.ok(lifetimes(second).every((ms) => ms > 500_000 && ms <= 600_000));
  });

  it("keeps an unsigned session where it is not to sign", async () => {
    const app = connect().use(cookieSession({ name: "unsigned", signed: false })).use(views);
    await visit(app, cookieOf(await visit(app, "other=1"))).expect(200, "2");
  });
});
