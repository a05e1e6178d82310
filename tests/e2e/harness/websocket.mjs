// A WebSocket's two ends, as far as an echo of short texts needs them (RFC 6455).
import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { headerValues, socketReader } from "./http.mjs";

/** Answers an upgrade and echoes every text until the other end closes. `headers` go along with the 101. */
export async function echoWebSocket(request, socket, reader, headers = []) {
  const accept = createHash("sha1")
    .update(request.header("sec-websocket-key") + GUID)
    .digest("base64");
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    ...headers,
  ];
  socket.write(Buffer.from(lines.join("\r\n") + "\r\n\r\n", "latin1"));
  for (;;) {
    const { opcode, payload } = await readFrame(reader);
    socket.write(frame(opcode, opcode === TEXT ? Buffer.concat([Buffer.from("echo: "), payload]) : payload));
    if (opcode === CLOSE) return void socket.end();
  }
}

/** Opens a WebSocket: `{head, say(text) → the answer, close() → the code}`. */
export async function openWebSocket(port, { path = "/", headers = [] } = {}) {
  const socket = net.connect(port, "127.0.0.1");
  const reader = socketReader(socket);
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: shop.example",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ...headers,
  ];
  socket.write(Buffer.from(lines.join("\r\n") + "\r\n\r\n", "latin1"));
  const head = (await reader.until("\r\n\r\n")).toString("latin1");
  return {
    head,
    status: Number(head.slice(9, 12)),
    setCookies: headerValues(head, "set-cookie"),
    async say(text) {
      socket.write(frame(TEXT, Buffer.from(text), randomBytes(4)));
      return (await readFrame(reader)).payload.toString();
    },
    async close() {
      socket.write(frame(CLOSE, Buffer.from([0x03, 0xe8]), randomBytes(4)));
      const { payload } = await readFrame(reader);
      socket.destroy();
      return payload.readUInt16BE(0);
    },
  };
}

async function readFrame(reader) {
  const [first, second] = await reader.bytes(2);
  const mask = second & 0x80 ? Buffer.from(await reader.bytes(4)) : null;
  const payload = Buffer.from(await reader.bytes(second & 0x7f));
  return { opcode: first & 0x0f, payload: mask ? masked(payload, mask) : payload };
}

/** One frame; payloads stay below 126 bytes, the length that fits into the second byte. */
function frame(opcode, payload, mask) {
  const head = Buffer.from([0x80 | opcode, payload.length | (mask ? 0x80 : 0)]);
  return mask ? Buffer.concat([head, mask, masked(payload, mask)]) : Buffer.concat([head, payload]);
}

const masked = (payload, mask) => payload.map((byte, i) => byte ^ mask[i % 4]);

const TEXT = 1;
const CLOSE = 8;
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
