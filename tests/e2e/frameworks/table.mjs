// The frameworks that a key is rotated behind: the site, the rule for its cookie, and what Debian calls what it needs.
import { fileURLToPath } from "node:url";
import { goProgram, withTool, works } from "../harness/installed.mjs";
import { interpreter, temporaryFolder } from "../harness/processes.mjs";

/**
 * `command()` starts the site, or is null where it cannot run here; `needs` names the Debian packages then.
 * `sessions: "at the site"`: the cookie holds no more than an id, which another process of the site knows nothing of.
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
    command: () => ruby("rack.rb", 'require "rack"; require "webrick"; exit Rack.release.start_with?("2.")'),
    rule: { name: "rack.session", format: "rack-session", attributes: "path=/; HttpOnly" },
  },
  {
    name: "Go's gorilla/securecookie",
    needs: "golang-go golang-github-gorilla-securecookie-dev",
    command: () => goProgram(site("securecookie.go")),
    rule: {
      name: "user",
      format: "securecookie",
      max_age: 2592000,
      attributes: "Path=/; Max-Age=2592000; HttpOnly",
    },
  },
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
];

const site = (file) => fileURLToPath(new URL(`sites/${file}`, import.meta.url));
const python = (file) => [interpreter("venv-e2e"), site(file)];
const node = (file) => [process.execPath, site(file)];
const ruby = (file, check) => withTool("ruby", (ruby) => works(ruby, ["-e", check]) && [ruby, site(file)]);

// PHP says where it listens on stderr.
const php = (file) =>
  withTool("php", (php) => {
    const options = ["-d", `session.save_path=${temporaryFolder()}`, "-S", "127.0.0.1:0", site(file)];
    return ["sh", "-c", 'exec "$0" "$@" 2>&1', php, ...options];
  });
