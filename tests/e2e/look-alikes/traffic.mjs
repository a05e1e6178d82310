// Sends many requests as raw bytes over a few kept-alive connections, and records what an origin gets, byte for byte.
import net from "node:net";

const CONNECTIONS = 16;

/** An origin that keeps the Cookie headers of each request by the number in its path: `arrived[n]`. */
export async function recordingOrigin(t) {
  const arrived = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    onHeads(socket, (head) => {
      const [first, ...lines] = head.split("\r\n");
      const cookies = lines.filter((line) => /^cookie:/i.test(line)).map((line) => line.slice(line.indexOf(":") + 1).trimStart());
      arrived[Number(/^GET \/(\d+) /.exec(first)[1])] = cookies;
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: server.address().port, arrived };
}

/** Sends a request for each list of Cookie headers (Latin-1 texts); gives the status of each answer. */
export async function sendAll(port, requests) {
  const statuses = [];
  let next = 0;
  async function work() {
    let connection = null;
    while (next < requests.length) {
      const number = next++;
      connection = connection?.isOpen() ? connection : await connect(port);
      const cookies = requests[number].map((header) => `Cookie: ${header}\r\n`).join("");
      statuses[number] = await connection.status(`GET /${number} HTTP/1.1\r\nHost: shop.example\r\n${cookies}\r\n`);
    }
    connection?.close();
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  return statuses;
}

async function connect(port) {
  const socket = net.connect(port, "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let waiting = null;
  let body = 0;
  const settle = (status) => {
    waiting?.(status);
    waiting = null;
  };
  onHeads(socket, (head) => {
    body = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    // A refusal ends the connection, at times before its body.
    if (!head.startsWith("HTTP/1.1 200")) socket.destroy();
    settle(Number(head.slice(9, 12)));
  }, () => body);
  socket.on("error", () => {}).on("close", () => settle("closed"));
  return {
    isOpen: () => !socket.destroyed && socket.writable,
    status: (bytes) => new Promise((resolve) => ((waiting = resolve), socket.write(bytes, "latin1"))),
    close: () => socket.destroy(),
  };
}

/** Calls `each` with the head of every message; `bodyLength()` tells how much follows the latest. */
function onHeads(socket, each, bodyLength = () => 0) {
  let held = "";
  socket.on("data", (data) => {
    held += data.toString("latin1");
    for (let end; (end = held.indexOf("\r\n\r\n")) >= 0; ) {
      const head = held.slice(0, end);
      each(head);
      const rest = end + 4 + bodyLength();
      if (held.length < rest) return socket.destroy();
      held = held.slice(rest);
    }
  });
}
