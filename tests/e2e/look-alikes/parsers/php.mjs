// Prints what PHP makes of raw Cookie headers; the protocol is that of frameworks.py. The argument is php-cgi's path.
import { spawn } from "node:child_process";
import net from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connect } from "./fastcgi.mjs";

const script = fileURLToPath(new URL("print-cookies.php", import.meta.url));

const trimmed = (part) => Buffer.from(part, "hex").toString("latin1").replace(/^[ \t]+|[ \t]+$/g, "");

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function retry(action) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const port = await freePort();
// A process of php-cgi ends after 500 requests unless told otherwise.
const php = spawn(process.argv[2], ["-n", "-b", `127.0.0.1:${port}`], { env: { PHP_FCGI_MAX_REQUESTS: "0" }, stdio: ["ignore", "ignore", "inherit"] });
try {
  const { ask, close } = await retry(() => connect(port));
  for await (const line of createInterface({ input: process.stdin })) {
    const headers = line.split(",").map(trimmed);
    const seen = [];
    for (const header of new Set([headers.join("; "), headers.join(", ")])) {
      seen.push(...JSON.parse(await ask({
        REQUEST_METHOD: "GET",
        SCRIPT_FILENAME: script,
        GATEWAY_INTERFACE: "CGI/1.1",
        HTTP_COOKIE: Buffer.from(header, "latin1"),
      })));
    }
    console.log(JSON.stringify({ php: seen }));
  }
  close();
} finally {
  php.kill();
}
