// The programs of parsers/ and the parsers in them: which are here, and what they make of Cookie headers.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { goProgram, withTool, works } from "../harness/installed.mjs";
import { interpreter } from "../harness/processes.mjs";

/** Every parser that may take part, by the program it lives in. `needs` is what Debian calls it; null: always here. */
const PROGRAMS = [
  {
    parsers: ["django-wsgi", "django-asgi", "starlette", "tornado", "tornado-parser", "werkzeug", "webob", "aiohttp", "http.cookies"],
    needs: null,
    command: () => [interpreter("venv-e2e"), "-W", "ignore", script("frameworks.py")],
  },
  { parsers: ["werkzeug-1"], needs: null, command: () => [interpreter("venv-e2e-werkzeug1"), script("werkzeug1.py")] },
  {
    parsers: ["express", "cookie", "koa", "fastify", "hapi"],
    needs: null,
    command: (names) => [process.execPath, script("frameworks.mjs"), ...names],
  },
  { parsers: ["php"], needs: "php-cgi", command: () => withTool("php-cgi", (php) => [process.execPath, script("php.mjs"), php]) },
  {
    parsers: ["rack", "ruby-cgi"],
    needs: "ruby-rack",
    command: () => withTool("ruby", (ruby) => works(ruby, ["-e", 'require "rack"']) && [ruby, script("ruby.rb")]),
  },
  ...["Mojo::Cookie::Request mojolicious libmojolicious-perl", "CGI::Cookie cgi.pm libcgi-pm-perl", "Plack::Request plack libplack-perl"].map(
    (line) => {
      const [module, parser, needs] = line.split(" ");
      return {
        parsers: [parser],
        needs,
        command: () => withTool("perl", (perl) => works(perl, [`-M${module}`, "-e1"]) && [perl, script("perl.pl"), parser]),
      };
    },
  ),
  { parsers: ["go"], needs: "golang-go", command: () => goProgram(script("net-http.go")) },
  { parsers: ["tomcat10-rfc6265"], needs: "default-jdk-headless libtomcat10-java", command: () => servlets("tomcat10") },
  { parsers: ["tomcat9-rfc6265", "tomcat9-legacy"], needs: "default-jdk-headless libtomcat9-java", command: () => servlets("tomcat9") },
  {
    parsers: ["jetty-rfc6265", "jetty-rfc6265_legacy", "jetty-rfc2965"],
    needs: "default-jdk-headless libjetty9-java libservlet-api-java",
    command: () => servlets("jetty9", "servlet-api"),
  },
];

/** The programs that can run here, each with `run(requests)`. */
export function programs(names) {
  return PROGRAMS.map(({ parsers, needs, command }) => {
    const line = command(names);
    return { parsers, needs, isHere: Boolean(line), run: line && ((requests) => seenBy(line, requests)) };
  });
}

/**
 * What a program's parsers make of requests, each a list of Cookie headers (Latin-1 texts):
 * for each request an object parser -> list of [name, value].
 */
async function seenBy([command, ...args], requests) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const chunks = { stdout: [], stderr: [] };
  for (const stream of ["stdout", "stderr"]) child[stream].on("data", (chunk) => chunks[stream].push(chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(requests.map((headers) => headers.map(hex).join(",") + "\n").join(""));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const lines = Buffer.concat(chunks.stdout).toString("utf8").split("\n").filter(Boolean);
  if (code !== 0 || lines.length !== requests.length) {
    const complaint = Buffer.concat(chunks.stderr).toString("utf8").slice(-2000);
    throw new Error(`${args.join(" ")}: ${lines.length} answers to ${requests.length} requests, code ${code}\n${complaint}`);
  }
  return lines.map((line) => JSON.parse(line));
}

const hex = (text) => Buffer.from(text, "latin1").toString("hex");

/** Java with the jars that Debian installs under these names. */
function servlets(server, ...others) {
  const all = fs.existsSync(JARS) ? fs.readdirSync(JARS) : [];
  const jars = all.filter((jar) => [server, ...others].some((name) => jar === `${name}.jar` || jar.startsWith(`${name}-`)));
  if (!jars.some((jar) => jar.startsWith(`${server}-`))) return null;
  const classPath = jars.map((jar) => path.join(JARS, jar)).join(path.delimiter);
  return withTool("java", (java) => withTool("javac", () => [java, "-cp", classPath, script("Servlets.java"), server]));
}

const JARS = "/usr/share/java";
const script = (name) => fileURLToPath(new URL(`parsers/${name}`, import.meta.url));
