// The frameworks that a key is rotated behind: the site, the rule for its cookie, and what Debian calls what it needs.
import { fileURLToPath } from "node:url";
import { goProgram, withTool, works } from "../harness/installed.mjs";
import { interpreter, temporaryFolder } from "../harness/processes.mjs";

const base64 = (text) => Buffer.from(text).toString("base64");
const BYTES_IN_BASE64 = {
  ORIGIN_KEY: base64("the site's own secret, as bytes!"),
  NEW_KEY: base64("a new secret of the ring, bytes."),
};

const NUMBERED = { ORIGIN_KEY: 1, NEW_KEY: 2 };

/**
 * `command()` starts the site, or is null where it cannot run here; `needs` names the Debian packages then.
 * `sessions: "at the site"`: the cookie holds no more than an id, which another process of the site knows nothing of.
 * `isRandom`: two seals of one content differ. `keys` and their `encoding` are given where not every text will do.
 */
export const FRAMEWORKS = [
  {
    name: "Flask's session",
    command: () => python("flask_site.py"),
    rule: { name: "session", format: "flask-session", max_age: 2678400, attributes: "HttpOnly; Path=/" },
  },
  {
    name: "SessionMiddleware of Starlette and FastAPI",
    command: () => python("starlette_site.py"),
    rule: {
      name: "session",
      format: "starlette-session",
      max_age: 1209600,
      attributes: "path=/; Max-Age=1209600; httponly; samesite=lax",
    },
  },
  {
    name: "express-session",
    command: () => node("express-session.mjs"),
    sessions: "at the site",
    rule: { name: "connect.sid", format: "express", attributes: "Path=/; HttpOnly" },
  },
  {
    name: "a signed cookie of cookie-parser",
    command: () => node("cookie-parser.mjs"),
    rule: { name: "user", format: "express", attributes: "Path=/; HttpOnly" },
  },
  {
    name: "a signed cookie of Tornado",
    command: () => python("tornado_site.py"),
    rule: { name: "user", format: "tornado", max_age: 2678400, attributes: "Path=/; Max-Age=2592000" },
  },
  {
    name: "a signed cookie of Tornado, its keys numbered",
    command: () => python("tornado_site.py", JSON.stringify(NUMBERED)),
    rule: {
      name: "user",
      format: "tornado",
      key_version: NUMBERED,
      max_age: 2678400,
      attributes: "Path=/; Max-Age=2592000",
    },
  },
  {
    name: "a signed cookie of Bottle",
    command: () => python("bottle_site.py"),
    rule: { name: "user", format: "bottle", attributes: "HttpOnly; Path=/" },
  },
  {
    name: "a signed cookie of @fastify/cookie",
    command: () => node("fastify-cookie.mjs"),
    rule: { name: "user", format: "fastify-cookie", attributes: "Path=/; HttpOnly; SameSite=Lax" },
  },
  {
    name: "Rack::Session::Cookie of Rack 2",
    needs: "ruby-rack ruby-webrick",
    command: () => ruby(["rack.rb"], 'require "rack"; require "webrick"; exit Rack.release.start_with?("2.")'),
    rule: { name: "rack.session", format: "rack-session", attributes: "path=/; HttpOnly" },
  },
  { name: "Go's gorilla/securecookie", ...securecookie() },
  { name: "Go's gorilla/securecookie, encrypted", ...securecookie("thirty-two bytes for AES at home") },
  {
    name: "the session of Mojolicious",
    needs: "libmojolicious-perl",
    command: () => withTool("perl", (perl) => works(perl, ["-MMojolicious", "-e1"]) && [perl, site("mojolicious.pl")]),
    rule: { name: "mojolicious", format: "mojolicious", attributes: "path=/; HttpOnly; SameSite=Lax" },
  },
  {
    name: "PHP's own session, wrapped",
    needs: "php-cli",
    command: () => php("native-session.php"),
    sessions: "at the site",
    rule: {
      name: "PHPSESSID",
      format: "django-signed-cookie",
      origin: { format: "plain" },
      max_age: 2592000,
      attributes: "path=/",
    },
  },
  {
    name: "PHP's own session, wrapped in `sealed`",
    needs: "php-cli",
    command: () => php("native-session.php"),
    sessions: "at the site",
    rule: {
      name: "PHPSESSID",
      format: "sealed",
      origin: { format: "plain" },
      max_age: 2592000,
      attributes: "path=/",
    },
  },
  {
    name: "cookie-session of Express",
    command: () => node("cookie-session.mjs"),
    rule: { name: "session", format: "keygrip", attributes: "path=/; httponly" },
  },
  {
    name: "koa-session",
    command: () => node("koa-session.mjs"),
    rule: { name: "koa.sess", format: "keygrip", attributes: "path=/; httponly" },
  },
  {
    name: "a signed cookie of Koa",
    command: () => node("koa.mjs"),
    rule: { name: "user", format: "keygrip", attributes: "path=/; httponly" },
  },
  {
    name: "@fastify/secure-session",
    command: () => node("secure-session.mjs"),
    rule: { name: "session", format: "fastify-secure-session", attributes: "Path=/; HttpOnly; SameSite=Lax" },
    keys: BYTES_IN_BASE64,
    encoding: "base64",
    isRandom: true,
  },
  {
    name: "iron-session",
    command: () => node("iron-session.mjs"),
    rule: {
      name: "session",
      format: "iron-session",
      attributes: "Max-Age=1209540; Path=/; HttpOnly; Secure; SameSite=Lax",
    },
    isRandom: true,
  },
  {
    name: "@hapi/cookie",
    command: () => node("hapi-cookie.mjs"),
    rule: { name: "sid", format: "iron", attributes: "HttpOnly; SameSite=Strict; Path=/" },
    isRandom: true,
  },
  {
    name: "a signed cookie of hapi",
    command: () => node("hapi-signed.mjs"),
    rule: { name: "user", format: "hapi", attributes: "HttpOnly; SameSite=Strict; Path=/" },
    isRandom: true,
  },
  {
    name: "aiohttp_session in an encrypted cookie",
    command: () => python("aiohttp_site.py"),
    rule: { name: "AIOHTTP_SESSION", format: "fernet", attributes: "HttpOnly; Path=/" },
    keys: BYTES_IN_BASE64,
    isRandom: true,
  },
  {
    name: "a token of jsonwebtoken",
    command: () => node("jsonwebtoken.mjs"),
    rule: { name: "token", format: "jwt", alg: "HS256", attributes: "Path=/; HttpOnly" },
  },
  {
    name: "the session of Rails",
    ...rails("session"),
    rule: {
      name: "_app_session",
      format: "rails-encrypted",
      kdf_digest: "sha1",
      attributes: "path=/; HttpOnly; SameSite=Lax",
    },
    isRandom: true,
  },
  {
    name: "a signed cookie of Rails",
    ...rails("signed"),
    rule: { name: "user", format: "rails-signed", kdf_digest: "sha1", attributes: "path=/; SameSite=Lax" },
  },
  {
    name: "an encrypted cookie of Rails",
    ...rails("encrypted"),
    rule: { name: "user", format: "rails-encrypted", kdf_digest: "sha1", attributes: "path=/; SameSite=Lax" },
    isRandom: true,
  },
  {
    name: "an encrypted cookie of Rails as before 5.2",
    ...rails("encrypted", "aes-256-cbc"),
    rule: {
      name: "user",
      format: "rails-encrypted",
      cipher: "aes-256-cbc",
      kdf_digest: "sha1",
      attributes: "path=/; SameSite=Lax",
    },
    isRandom: true,
  },
  {
    name: "EncryptCookies of Laravel",
    needs: "php-cli php-illuminate-cookie php-illuminate-encryption php-symfony-http-foundation",
    command: () => php("laravel.php", "Illuminate/Cookie/autoload.php", "Illuminate/Encryption/autoload.php"),
    rule: { name: "user", format: "laravel", attributes: "path=/; httponly; samesite=lax" },
    keys: { ORIGIN_KEY: `base64:${BYTES_IN_BASE64.ORIGIN_KEY}`, NEW_KEY: `base64:${BYTES_IN_BASE64.NEW_KEY}` },
    isRandom: true,
  },
];

const site = (file) => fileURLToPath(new URL(`sites/${file}`, import.meta.url));
const python = (file, ...args) => [interpreter("venv-e2e"), site(file), ...args];
const node = (file) => [process.execPath, site(file)];

function securecookie(...blockKey) {
  return {
    needs: "golang-go golang-github-gorilla-securecookie-dev",
    command: () => goProgram(site("securecookie.go"))?.concat(blockKey),
    rule: { name: "user", format: "securecookie", max_age: 2592000, attributes: "Path=/; Max-Age=2592000; HttpOnly" },
  };
}

function rails(...place) {
  return {
    needs: "ruby-railties ruby-rack ruby-webrick",
    command: () => ruby(["rails.rb", ...place], 'require "webrick"; require "action_controller/railtie"'),
  };
}

const ruby = ([file, ...args], check) =>
  withTool("ruby", (ruby) => works(ruby, ["-e", check]) && [ruby, site(file), ...args]);

// PHP says on stderr where it listens.
const php = (file, ...needed) =>
  withTool("php", (php) => {
    if (!works(php, ["-r", needed.map((name) => `require_once "${name}";`).join(" ")])) return null;
    const options = ["-d", `session.save_path=${temporaryFolder()}`, "-S", "127.0.0.1:0", site(file)];
    return ["sh", "-c", 'exec "$0" "$@" 2>&1', php, ...options];
  });
