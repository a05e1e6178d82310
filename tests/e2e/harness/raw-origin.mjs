// An origin that keeps the exact bytes of each request and answers with exactly the bytes that a test gives it.
import net from "node:net";
import { headerValues, readMessage, socketReader } from "./http.mjs";
import { sensitiveCookies } from "./leaks.mjs";

/**
 * Starts an origin. `handle({head, body, method, path, cookie}, socket, reader)` returns the answer's bytes as a
 * Latin-1 string or a Buffer; when it returns nothing, it has taken over the socket.
 */
export async function rawOrigin(t, handle = () => answer("200 OK")) {
  const requests = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    serve(socket).catch(() => socket.destroy());
  });

  async function serve(socket) {
    const reader = socketReader(socket);
    while (await reader.more()) {
      const request = asRequest(await readMessage(reader, origin.leavesBodies));
      requests.push(request);
      const reply = await origin.handle(request, socket, reader);
      if (reply === undefined) return;
      socket.write(Buffer.isBuffer(reply) ? reply : Buffer.from(reply, "latin1"));
    }
  }

  const origin = {
    handle,
    requests,
    /** The latest request. */
    get last() {
      return requests.at(-1);
    },
    /** Set to true-returning where the handler reads the body itself. */
    leavesBodies: () => false,
    port: 0,
    async listen() {
      await new Promise((resolve, reject) => server.once("error", reject).listen(origin.port, "127.0.0.1", resolve));
      origin.port = server.address().port;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  await origin.listen();
  t.after(origin.stop);
  return origin;
}

/** The bytes of an answer; `headers` are whole lines. */
export function answer(status, headers = [], body = "ok") {
  return [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

function asRequest({ head, body }) {
  const [method, path] = head.split(" ", 2);
  const cookies = headerValues(head, "cookie");
  cookies.forEach(sensitiveCookies);
  return {
    head,
    body,
    method,
    path,
    /** The Cookie header as it stood on the wire, or null. */
    cookie: cookies.length ? cookies.join("\r\nCookie: ") : null,
    header: (name) => headerValues(head, name).join(", ") || null,
  };
}
