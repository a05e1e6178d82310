// HTTP/1.1 messages as far as the bench reads them: where one ends, and whether it is like the one before.

/** Reads messages from a socket's chunks, one after another, and calls `onMessage` with the bytes of each. */
export function messages(socket, endOf, onMessage) {
  let held = null;
  socket.on("data", (chunk) => {
    let rest = held ? Buffer.concat([held, chunk]) : chunk;
    for (let end; rest.length && (end = endOf(rest)) >= 0; rest = rest.subarray(end)) onMessage(rest.subarray(0, end));
    held = rest.length ? rest : null;
  });
}

/** Where the first request in `bytes` ends, -1 where it goes on: none has a body. */
export function endOfRequest(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  return end < 0 ? -1 : end + 4;
}

/** Where the first response in `bytes` ends, -1 where it goes on. */
export function endOfResponse(bytes) {
  const head = endOfRequest(bytes);
  if (head < 0) return -1;
  const text = bytes.latin1Slice(0, head);
  if (/\r\ntransfer-encoding: *chunked/i.test(text)) {
    const last = bytes.indexOf("0\r\n\r\n", head - 2);
    return last < 0 ? -1 : last + 5;
  }
  const end = head + Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
  return bytes.length < end ? -1 : end;
}

/** Compares each message with the first: of messages that `vary`, the lengths. */
export class Alike {
  constructor(varies) {
    this.varies = varies;
    this.seen = 0;
    this.others = 0;
  }

  see(message) {
    this.seen += 1;
    if (!this.first) this.first = Buffer.from(message);
    else if (this.varies ? message.length !== this.first.length : !message.equals(this.first)) this.other(message);
    if (this.varies) this.last = Buffer.from(message);
  }

  other(message) {
    this.others += 1;
    this.different ??= Buffer.from(message);
  }

  /** The messages that stand for all, as Latin-1 text. */
  get shown() {
    const kept = [this.first, this.last, this.different].filter(Boolean);
    return { seen: this.seen, others: this.others, texts: kept.map((message) => message.latin1Slice()) };
  }
}

/** The lines of a message's head with this name, their values. */
export function headerValues(text, name) {
  const [head] = text.split("\r\n\r\n", 1);
  const lines = head.split("\r\n").slice(1);
  const named = lines.filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() === name);
  return named.map((line) => line.slice(line.indexOf(":") + 1).trim());
}
