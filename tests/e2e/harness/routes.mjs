// A zone with routes: hands each connection to the one whose pattern has the path of its first request.
import net from "node:net";

/** Starts it. `routes` is a list of `[pattern, {port}]`, a pattern as Cloudflare has them: `/a`, or `/a/*`. */
export async function zone(t, routes) {
  const sockets = new Set();
  const server = net.createServer((visitor) => {
    keep(visitor).once("data", (head) => {
      const [, path] = /^\S+ ([^ ?]*)/.exec(head.toString("latin1"));
      const route = routes.find(([pattern]) => matches(pattern, path));
      if (!route) return void visitor.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      const there = keep(net.connect(route[1].port, "127.0.0.1"));
      there.write(head);
      visitor.pipe(there).pipe(visitor);
    });
  });
  function keep(socket) {
    sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  }
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: server.address().port };
}

const matches = (pattern, path) =>
  pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
