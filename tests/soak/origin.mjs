// The origins of the soak: four real sites behind one door, which looks at every request and does what origins do at worst.
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exchange } from "../e2e/harness/client.mjs";
import { django } from "../e2e/harness/django.mjs";
import { headerValues, readMessage, socketReader } from "../e2e/harness/http.mjs";
import { interpreter, program, served } from "../e2e/harness/processes.mjs";
import { answer } from "../e2e/harness/raw-origin.mjs";

/** The real sites by host, each under its own key of `secrets`. */
export async function sites(t, secrets) {
  const site = (command, ORIGIN_KEY, env) => served(t, program(command, { ORIGIN_KEY, ...env }));
  const python = (script) => [interpreter("venv-e2e"), inSites(script)];
  const node = (script) => [process.execPath, inSites(script)];
  const started = await Promise.all([
    django(t, { key: secrets.DJANGO_KEY }),
    site(python("flask_site.py"), secrets.FLASK_KEY, { FLASK_SESSION_COOKIE_NAME: "flask" }),
    site(node("express-session.mjs"), secrets.EXPRESS_KEY),
    site(node("cookie-session.mjs"), secrets.COOKIES_KEY),
  ]);
  const hosts = ["django", "flask", "express", "cookies"];
  return new Map(hosts.map((name, at) => [`${name}.shop.example`, started[at]]));
}

/**
 * The door. `onRequest(number, cookie)` sees the Cookie header of each request; `faultOf(number)` names what is to go
 * wrong with it, one of FAULTS. `down(ms)` closes the door for that long, and breaks off what is under way.
 */
export async function door(t, { sites, onRequest, faultOf }) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    serve(socket).catch(() => socket.destroy());
  });

  async function serve(socket) {
    const { head, body } = await readMessage(socketReader(socket));
    const number = parseInt(headerValues(head, "x-soak")[0], 10);
    for (const cookie of headerValues(head, "cookie")) onRequest(number, cookie);
    const fault = FAULTS[faultOf(number)] ?? {};
    if (fault.instead) return fault.instead(socket);
    const site = sites.get(headerValues(head, "host")[0]);
    const own = head.replace(/^connection:.*\r\n/im, "").replace(/\r\n\r\n$/, "\r\nConnection: close\r\n\r\n");
    const reply = await exchange(site.port, own + body.toString("latin1"), PATIENCE_MS);
    if (fault.wait) await sleep(fault.wait);
    const headers = reply.headers.filter(([name]) => !OF_ONE_CONNECTION.test(name)).map((header) => header.join(": "));
    const lines = [...headers, ...(fault.headers?.(reply) ?? []), "Connection: close"];
    const text = answer(`${reply.status} ${reply.statusText}`, lines, reply.body.toString("latin1"));
    const bytes = Buffer.from(text, "latin1");
    if (!fault.cut) return socket.end(bytes);
    socket.write(bytes.subarray(0, fault.cut(bytes)), () => socket.destroy());
  }

  const listen = (port) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  async function stop() {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  await listen(0);
  const { port } = server.address();
  t.after(() => server.listening && stop());
  return {
    port,
    async down(ms) {
      await stop();
      await sleep(ms);
      await listen(port);
    },
  };
}

/** Cookies that no browser keeps, for the control characters in them; they are set as the site's own are. */
function invalidCookies({ setCookies }) {
  const twins = setCookies.map((cookie) => `Set-Cookie: ${cookie.replace(/=[^;]*/, "=\x01\x02")}`);
  return [...twins, "Set-Cookie: \xfftheme\xfe=\xff\xfe\xfd; Path=/", "Set-Cookie: ", "Set-Cookie: =; =;;"];
}

/** What goes wrong with a request at the origin; `excuses` says that the visitor may be shown an error. */
export const FAULTS = {
  "origin breaks off before it answers": { excuses: true, instead: (socket) => socket.destroy() },
  "origin answers with no status": { excuses: true, instead: (socket) => socket.end("HTTP/1.1 two hundred\r\n\r\n") },
  "origin sets invalid cookies": { excuses: true, headers: invalidCookies },
  "origin sends 8-bit headers": { excuses: true, headers: () => ["X-Name: \xff\xfe\x80 \xe4", "X-Raw: caf\xe9"] },
  "origin sends huge headers": { excuses: true, headers: () => [`X-Huge: ${"x".repeat(300_000)}`] },
  "origin cuts a body": { excuses: true, cut: (bytes) => bytes.length - 2 },
  "origin cuts a head": { excuses: true, cut: () => 40 },
  "origin is slow": { excuses: false, wait: 2_300 },
};

const inSites = (name) => path.join(fileURLToPath(new URL("../e2e/frameworks/sites", import.meta.url)), name);
const OF_ONE_CONNECTION = /^(connection|keep-alive|transfer-encoding|content-length)$/i;
const PATIENCE_MS = 60_000;
