// A switch before several edges: each connection, which carries one request, goes to one of them at random, byte for byte.
//
// It keeps nothing of a visitor. Whoever sends a request may give it a number, in a header X-Soak, and ask afterwards
// which edge it met.
import net from "node:net";

/**
 * Listens, and hands each connection to what `choose()` gives, anything with a `port`. `onRequest(number, edge)` is told
 * of each request when it is handed over, `onEnd(number, edge)` when its connection has ended; `change(bytes, number)`
 * may change what comes back.
 */
export async function tcpSwitch({ choose, onRequest = () => {}, onEnd = () => {}, change }) {
  const sockets = new Set();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", (first) => connect(socket, first));
  });

  function connect(socket, first) {
    const number = Number(/^x-soak: (\d+)/im.exec(first.toString("latin1"))?.[1]);
    const edge = choose();
    onRequest(number, edge);
    const out = net.connect({ port: edge.port, host: "127.0.0.1", allowHalfOpen: true });
    out.write(first);
    socket.pipe(out);
    if (change) out.on("data", (bytes) => socket.write(change(bytes, number))).on("end", () => socket.end());
    else out.pipe(socket);
    out.on("error", () => socket.destroy());
    out.on("close", () => (onEnd(number, edge), socket.destroySoon()));
    socket.on("close", () => out.destroy());
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return {
    port: server.address().port,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
