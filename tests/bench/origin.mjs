// The origin, a process of its own: one answer for all, written from memory so that it is never what is waited for,
// and a look at every request, whether it is like the first.
import { once } from "node:events";
import net from "node:net";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Alike, endOfRequest, messages } from "./exchange.mjs";

const BODY = "<!doctype html><title>Shop</title>\n".padEnd(512, "x");
const isChild = process.argv[1] === fileURLToPath(import.meta.url);

/** Starts it. `expect(case)` says what it answers from now on, `seen()` what it was sent since. */
export async function origin() {
  const child = fork(fileURLToPath(import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const told = async (message) => {
    child.send(message);
    const [answer] = await once(child, "message");
    return answer;
  };
  const { port } = await told({ listen: true });
  return {
    port,
    expect: ({ setCookies, varies }) => told({ setCookies, varies }),
    seen: () => told({ report: true }),
    stop: () => child.kill(),
  };
}

if (isChild) {
  let answer;
  let requests = new Alike(false);
  const server = net.createServer((socket) => {
    socket.setNoDelay(true).on("error", () => socket.destroy());
    messages(socket, endOfRequest, (request) => {
      requests.see(request);
      socket.write(answer);
    });
  });
  process.on("message", async ({ listen, report, setCookies, varies }) => {
    if (report) return process.send(requests.shown);
    if (listen) {
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      return process.send({ port: server.address().port });
    }
    requests = new Alike(varies);
    answer = Buffer.from(page(setCookies), "latin1");
    process.send({});
  });
  process.on("disconnect", () => process.exit());
}

/** The headers of the page that it answers with. */
export function headers(setCookies) {
  return [
    ["Content-Type", "text/html; charset=utf-8"],
    ["X-Frame-Options", "DENY"],
    ["Vary", "Cookie"],
    ["X-Content-Type-Options", "nosniff"],
    ["Referrer-Policy", "same-origin"],
    ...setCookies.map((cookie) => ["Set-Cookie", cookie]),
  ];
}

function page(setCookies) {
  const all = [...headers(setCookies), ["Content-Length", BODY.length]];
  return ["HTTP/1.1 200 OK", ...all.map(([name, value]) => `${name}: ${value}`), "", BODY].join("\r\n");
}
