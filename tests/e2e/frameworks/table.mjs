// The frameworks that a key is rotated behind: the site, the rule for its cookie, and what Debian calls what it needs.
// The rules are those of docs/formats.md. Every site sets Secure, as one on HTTPS does, and is told its visitors come by
// HTTPS where it asks. The variable LIFETIME, in seconds, gives its cookie a lifetime; without it, its default holds.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { TARGET } from "../harness/commands.mjs";
import { goProgram, withTool, works } from "../harness/installed.mjs";
import { interpreter, temporaryFolder } from "../harness/processes.mjs";
import { recipe } from "./recipes.mjs";

const base64 = (text) => Buffer.from(text).toString("base64");
const BYTES_IN_BASE64 = {
  ORIGIN_KEY: base64("the site's own secret, as bytes!"),
  NEW_KEY: base64("a new secret of the ring, bytes."),
};

const APP_KEYS = { ORIGIN_KEY: `base64:${BYTES_IN_BASE64.ORIGIN_KEY}`, NEW_KEY: `base64:${BYTES_IN_BASE64.NEW_KEY}` };

const TWICE_AS_LONG = {
  ORIGIN_KEY: base64("the site's own secret, of sixty-four bytes, as Key::from wants it"),
  NEW_KEY: base64("a new secret of the ring, of sixty-four bytes, as Key::from wants"),
};
const LONG_KEYS = { ORIGIN_KEY: "the site's own ".repeat(5), NEW_KEY: "the ring's new ".repeat(5) };

const NUMBERED = { ORIGIN_KEY: 1, NEW_KEY: 2 };

const LARAVEL = "php-cli php-illuminate-cookie php-illuminate-encryption php-symfony-http-foundation";

/**
 * `command()` starts the site, or is null where it cannot run here; `needs` names the Debian packages then.
 * `sessions: "at the site"`: the cookie holds no more than an id, which another process of the site knows nothing of.
 * `isRandom`: two seals of one content differ. `keys` and their `encoding` are given where not every text will do.
 */
const ENTRIES = [
  {
    name: "Django's session in a signed cookie",
    command: () => python("django_site.py", "session"),
    ...recipe("Django", "sessionid"),
  },
  {
    name: "a signed cookie of Django",
    command: () => python("django_site.py", "cookie"),
    ...recipe("Django", "user"),
  },
  { name: "Flask's session", command: () => python("flask_site.py"), ...recipe("Flask") },
  { name: "the session of Quart", command: () => pythonSessions("quart_site.py"), ...recipe("Flask") },
  { name: "Flask-Login's remember token", command: () => pythonSessions("flask_login_site.py"), ...recipe("Flask-Login") },
  {
    name: "Flask-Session, its ids signed",
    command: () => pythonSessions("flask_session_site.py"),
    sessions: "at the site",
    ...recipe("Flask-Session"),
  },
  { name: "a bearer token of FastAPI", command: () => pythonSessions("fastapi_site.py"), ...recipe("A bearer token of FastAPI") },
  {
    name: "the session of Litestar",
    command: () => pythonSessions("litestar_site.py"),
    ...recipe("Litestar"),
    keys: BYTES_IN_BASE64,
    encoding: "base64",
    isRandom: true,
  },
  { name: "the session of Pyramid", command: () => pythonSessions("pyramid_site.py"), ...recipe("Pyramid") },
  {
    name: "SessionMiddleware of Starlette and FastAPI",
    command: () => python("starlette_site.py"),
    ...recipe("Starlette and FastAPI"),
  },
  {
    name: "a serializer of itsdangerous",
    command: () => python("itsdangerous_site.py"),
    ...recipe("itsdangerous"),
  },
  {
    name: "express-session",
    command: () => node("express-session.mjs"),
    sessions: "at the site",
    ...recipe("express-session"),
  },
  { name: "a signed cookie of cookie-parser", command: () => node("cookie-parser.mjs"), ...recipe("cookie-parser") },
  { name: "a signed cookie of Tornado", command: () => python("tornado_site.py"), ...recipe("Tornado") },
  {
    name: "a signed cookie of Tornado, its keys numbered",
    command: () => python("tornado_site.py", JSON.stringify(NUMBERED)),
    ...recipe("Tornado"),
    options: { key_version: NUMBERED },
  },
  { name: "a signed cookie of Bottle", command: () => python("bottle_site.py"), ...recipe("Bottle") },
  {
    name: "a signed cookie of @fastify/cookie",
    command: () => node("fastify-cookie.mjs"),
    ...recipe("@fastify/cookie"),
  },
  {
    name: "a signed cookie of axum-extra",
    command: () => rust("axum-site", "signed"),
    ...recipe("axum"),
    keys: TWICE_AS_LONG,
    encoding: "base64",
  },
  {
    name: "a private cookie of axum-extra",
    command: () => rust("axum-site", "private"),
    ...recipe("axum"),
    options: { jar: "private" },
    keys: TWICE_AS_LONG,
    encoding: "base64",
    isRandom: true,
  },
  {
    name: "the session of actix-session",
    command: () => rust("actix-site"),
    ...recipe("Actix Web"),
    options: { derive: true },
    keys: BYTES_IN_BASE64,
    encoding: "base64",
    isRandom: true,
  },
  {
    name: "the session of tower-sessions",
    command: () => rust("tower-site"),
    sessions: "at the site",
    ...recipe("tower-sessions"),
    keys: TWICE_AS_LONG,
    encoding: "base64",
  },
  { name: "a signed cookie of Hono", command: () => node("hono.mjs"), ...recipe("Hono") },
  {
    name: "the session of better-auth",
    command: () => node("better-auth.mjs"),
    sessions: "at the site",
    ...recipe("better-auth"),
  },
  { name: "the session of React Router", command: () => node("react-router.mjs"), ...recipe("React Router") },
  { name: "a signed cookie of Elysia", command: () => node("elysia.mjs"), ...recipe("Elysia") },
  {
    name: "Rack::Session::Cookie of Rack 2",
    needs: "ruby-rack ruby-webrick",
    command: () => ruby(["rack.rb"], 'require "rack"; require "webrick"; exit Rack.release.start_with?("2.")'),
    ...recipe("Rack 2"),
  },
  {
    name: "Rack::Session::Cookie of rack-session 2",
    ...rackSession(">= 2.1.2"),
    ...recipe("Rack 3 and Sinatra 4"),
  },
  {
    name: "Rack::Session::Cookie of rack-session before 2.1.2",
    ...rackSession("< 2.1.2"),
    ...recipe("Rack 3 and Sinatra 4"),
    options: { encryptor: "v1" },
  },
  {
    name: "Go's gorilla/sessions",
    needs: "golang-go golang-github-gorilla-sessions-dev",
    command: () => goProgram(site("sessions.go")),
    ...recipe("Go"),
  },
  { name: "Go's gorilla/securecookie", ...securecookie() },
  { name: "Go's gorilla/securecookie, encrypted", ...securecookie("thirty-two bytes for AES at home") },
  {
    name: "the session of Mojolicious",
    needs: "libmojolicious-perl",
    command: () => withTool("perl", (perl) => works(perl, ["-MMojolicious", "-e1"]) && [perl, site("mojolicious.pl")]),
    ...recipe("Mojolicious"),
  },
  {
    name: "PHP's own session, wrapped",
    needs: "php-cli",
    command: () => php("native-session.php"),
    sessions: "at the site",
    ...recipe("An unsigned cookie"),
  },
  { name: "cookie-session of Express", command: () => node("cookie-session.mjs"), ...recipe("cookie-session") },
  { name: "koa-session", command: () => node("koa-session.mjs"), ...recipe("koa-session") },
  { name: "a signed cookie of Koa", command: () => node("koa.mjs"), ...recipe("Koa") },
  {
    name: "@fastify/secure-session",
    command: () => node("secure-session.mjs"),
    ...recipe("@fastify/secure-session"),
    keys: BYTES_IN_BASE64,
    encoding: "base64",
    isRandom: true,
  },
  {
    name: "iron-session",
    command: () => node("iron-session.mjs"),
    ...recipe("iron-session"),
    isRandom: true,
  },
  {
    name: "the session of h3 1",
    command: () => node("h3-1.mjs"),
    ...recipe("h3 1 and Nuxt"),
    isRandom: true,
  },
  {
    name: "the session of h3 2",
    command: () => node("h3-2.mjs"),
    ...recipe("h3 2"),
    isRandom: true,
  },
  {
    name: "the session of Auth.js 5",
    command: () => node("authjs.mjs"),
    ...recipe("Auth.js 5"),
    isRandom: true,
  },
  {
    name: "the session of NextAuth 4",
    command: () => node("nextauth.mjs"),
    ...recipe("NextAuth 4"),
    isRandom: true,
  },
  {
    name: "@hapi/cookie",
    command: () => node("hapi-cookie.mjs"),
    ...recipe("@hapi/cookie"),
    isRandom: true,
  },
  {
    name: "a signed cookie of hapi",
    command: () => node("hapi-signed.mjs"),
    ...recipe("hapi"),
    isRandom: true,
  },
  {
    name: "aiohttp_session in an encrypted cookie",
    command: () => python("aiohttp_site.py"),
    ...recipe("aiohttp_session"),
    keys: BYTES_IN_BASE64,
    isRandom: true,
  },
  { name: "a token of jsonwebtoken", command: () => node("jsonwebtoken.mjs"), ...recipe("JSON Web Token") },
  {
    name: "the session of Rails",
    ...rails("session"),
    ...recipe("Rails", "_app_session"),
    options: { kdf_digest: "sha1" },
    isRandom: true,
  },
  {
    name: "a signed cookie of Rails",
    ...rails("signed"),
    ...recipe("Rails", "user"),
    options: { kdf_digest: "sha1" },
  },
  {
    name: "an encrypted cookie of Rails",
    ...rails("encrypted"),
    ...recipe("Rails", "user"),
    options: { format: "rails-encrypted", kdf_digest: "sha1" },
    isRandom: true,
  },
  {
    name: "an encrypted cookie of Rails as before 5.2",
    ...rails("encrypted", "aes-256-cbc"),
    ...recipe("Rails", "user"),
    options: { format: "rails-encrypted", cipher: "aes-256-cbc", kdf_digest: "sha1" },
    isRandom: true,
  },
  {
    name: "the session of Rails, its old cipher at the site alone",
    ...rails("session", "aes-256-cbc"),
    ...recipe("Rails, leaving AES-CBC"),
    isRandom: true,
  },
  {
    name: "the session of Laravel",
    needs: `${LARAVEL} php-illuminate-config php-illuminate-container php-illuminate-http php-illuminate-session`,
    command: () => php("laravel-session.php", ...illuminate("Config", "Container", "Cookie", "Encryption", "Http", "Session")),
    sessions: "at the site",
    ...recipe("Laravel"),
    keys: APP_KEYS,
    isRandom: true,
  },
  {
    name: "EncryptCookies of Laravel",
    needs: LARAVEL,
    command: () => php("laravel.php", ...illuminate("Cookie", "Encryption")),
    rule: { name: "user", format: "laravel", attributes: "path=/; httponly; samesite=lax" },
    keys: APP_KEYS,
    isRandom: true,
  },
];

/** Every entry with the options that its site needs beside the recipe's. */
export const FRAMEWORKS = ENTRIES.map(({ options, rule, lasting, ...entry }) => ({
  ...entry,
  rule: { ...rule, ...options },
  ...(lasting && { lasting: { ...lasting, ...options } }),
}));

const site = (file) => fileURLToPath(new URL(`sites/${file}`, import.meta.url));
const python = (file, ...args) => [interpreter("venv-e2e"), site(file), ...args];
const pythonSessions = (file) => [interpreter("venv-e2e-sessions"), site(file)];
const node = (file) => [process.execPath, site(file)];
const rust = (program, ...args) => [path.join(TARGET, "sites/debug", program), ...args];

function securecookie(...blockKey) {
  return {
    needs: "golang-go golang-github-gorilla-securecookie-dev",
    command: () => goProgram(site("securecookie.go"))?.concat(blockKey),
    ...recipe("Go"),
    options: { name: "user" },
  };
}

// Debian 12 has no rack-session 2: `gem install rack-session rackup`.
function rackSession(version) {
  const check = `require "rackup"; require "rack/session"; require "rack/session/version"
    exit Gem::Requirement.new("${version}").satisfied_by?(Gem::Version.new(Rack::Session::VERSION))`;
  const command = () => ruby(["rack-session.rb"], check);
  return { needs: "ruby-rack ruby-webrick", command, keys: LONG_KEYS, isRandom: true };
}

function rails(...place) {
  return {
    needs: "ruby-railties ruby-rack ruby-webrick",
    command: () => ruby(["rails.rb", ...place], 'require "webrick"; require "action_controller/railtie"'),
  };
}

const illuminate = (...parts) => parts.map((part) => `Illuminate/${part}/autoload.php`);

const ruby = ([file, ...args], check) =>
  withTool("ruby", (ruby) => works(ruby, ["-e", check]) && [ruby, site(file), ...args]);

// PHP says on stderr where it listens.
const php = (file, ...needed) =>
  withTool("php", (php) => {
    if (!works(php, ["-r", needed.map((name) => `require_once "${name}";`).join(" ")])) return null;
    const settings = [`session.save_path=${temporaryFolder()}`, "session.cookie_httponly=1", "session.cookie_secure=1"];
    const options = [...settings.flatMap((setting) => ["-d", setting]), "-S", "127.0.0.1:0", site(file)];
    return ["sh", "-c", 'exec "$0" "$@" 2>&1', php, ...options];
  });
