// A FastCGI client, just large enough to hand php-cgi a Cookie header as a web server does.
import net from "node:net";

const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;

const record = (type, body) => {
  const head = Buffer.from([1, type, 0, 1, body.length >> 8, body.length & 255, 0, 0]);
  return Buffer.concat([head, body]);
};

const size = (length) => Buffer.from([0x80 | (length >>> 24), (length >>> 16) & 255, (length >>> 8) & 255, length & 255]);

const param = ([name, value]) => {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value);
  return Buffer.concat([size(Buffer.byteLength(name)), size(bytes.length), Buffer.from(name), bytes]);
};

// Parameters over 64 KiB would need more records; no header here is that long.
const request = (params) =>
  Buffer.concat([
    record(BEGIN, Buffer.from([0, 1, 1, 0, 0, 0, 0, 0])),
    record(PARAMS, Buffer.concat(Object.entries(params).map(param))),
    record(PARAMS, Buffer.alloc(0)),
    record(STDIN, Buffer.alloc(0)),
  ]);

/** Opens a kept-alive connection; the answer of `ask(params)` is what the script printed after its headers. */
export async function connect(port) {
  const socket = net.connect(port, "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.setNoDelay(true);
  let pending = null;
  let buffer = Buffer.alloc(0);
  let output = [];
  socket.on("error", (error) => pending?.reject(error));
  socket.on("close", () => pending?.reject(new Error("php-cgi closed the connection")));
  socket.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 8) {
      const length = buffer.readUInt16BE(4);
      const end = 8 + length + buffer[6];
      if (buffer.length < end) return;
      if (buffer[1] === STDOUT) output.push(buffer.subarray(8, 8 + length));
      if (buffer[1] === END) {
        const text = Buffer.concat(output).toString();
        output = [];
        pending.resolve(text.slice(text.indexOf("\r\n\r\n") + 4));
      }
      buffer = buffer.subarray(end);
    }
  });
  const ask = (params) =>
    new Promise((resolve, reject) => {
      pending = { resolve, reject };
      socket.write(request(params));
    });
  return { ask, close: () => socket.destroy() };
}
