// Just enough of HTTP/1.1 to read a message from a socket without losing a byte. Heads are Latin-1 text: a character is a byte.

/**
 * Reads one message: `{head, body, bytes}`; `isBodiless(head)` says when no body follows whatever the head claims. The
 * error of one whose body is cut off has its `head`.
 */
export async function readMessage(reader, isBodiless = () => false) {
  const head = (await reader.until("\r\n\r\n")).toString("latin1");
  try {
    return { head, body: await readBody(reader, head, isBodiless) };
  } catch (error) {
    throw Object.assign(error, { head });
  }
}

function readBody(reader, head, isBodiless) {
  if (isBodiless(head)) return Buffer.alloc(0);
  if (/^transfer-encoding:.*chunked/im.test(head)) return readChunks(reader);
  const length = /^content-length: *(\d+)/im.exec(head);
  if (length) return reader.bytes(Number(length[1]));
  return isRequest(head) ? Buffer.alloc(0) : reader.rest();
}

/** The header lines of a head as `[name, value]`, in order. */
export function headerLines(head) {
  return head
    .split("\r\n")
    .slice(1)
    .filter(Boolean)
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    });
}

/** Values of all headers of one name, in order. */
export function headerValues(head, name) {
  return headerLines(head)
    .filter(([n]) => n.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}

/** Bytes of a socket, to be asked for by length or by what ends them. */
export function socketReader(socket) {
  let held = Buffer.alloc(0);
  let closed = null;
  let wake = () => {};
  socket.on("data", (data) => ((held = Buffer.concat([held, data])), wake()));
  socket.on("end", () => ((closed ??= new Error("the connection ended early")), wake()));
  socket.on("error", (error) => ((closed ??= error), wake()));
  socket.on("close", () => ((closed ??= new Error("the connection closed early")), wake()));

  async function wait(ready) {
    while (!ready()) {
      if (closed) throw closed;
      await new Promise((resolve) => (wake = resolve));
    }
  }
  function take(length) {
    const taken = held.subarray(0, length);
    held = held.subarray(length);
    return taken;
  }
  return {
    async until(mark) {
      await wait(() => held.includes(mark));
      return take(held.indexOf(mark) + mark.length);
    },
    async bytes(length) {
      await wait(() => held.length >= length);
      return take(length);
    },
    async rest() {
      await wait(() => false).catch(() => {});
      return take(held.length);
    },
    /** Whether more comes, rather than the end of the connection. */
    async more() {
      await wait(() => held.length > 0).catch(() => {});
      return held.length > 0;
    },
    takeHeld: () => take(held.length),
  };
}

async function readChunks(reader) {
  const chunks = [];
  for (;;) {
    const size = parseInt((await reader.until("\r\n")).toString("latin1"), 16);
    const chunk = await reader.bytes(size + 2);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, size));
  }
}

const isRequest = (head) => !head.startsWith("HTTP/");
