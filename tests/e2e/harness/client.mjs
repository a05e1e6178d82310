// A client that sends exactly the bytes it is given and hands back exactly the bytes of the answer.
import net from "node:net";
import { headerLines, headerValues, readMessage, socketReader } from "./http.mjs";
import { sensitiveCookies, sensitive } from "./leaks.mjs";

/** Sends a request made of its parts. `headers` is an object or a list of `[name, value]`; characters are bytes. */
export function send(port, { method = "GET", path = "/", host = "shop.example", headers = {}, cookie, body } = {}) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Array.isArray(headers) ? headers : Object.entries(headers))
    lines.push(`${name}: ${value}`);
  if (cookie !== undefined) lines.push(`Cookie: ${cookie}`);
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body, "latin1")}`);
  return sendBytes(port, lines.join("\r\n") + "\r\n\r\n" + (body ?? ""));
}

/** Sends these bytes (a Latin-1 string) on a connection of their own and reads one answer; its cookies are no log's. */
export async function sendBytes(port, bytes) {
  for (const value of headerValues(bytes.slice(0, bytes.indexOf("\r\n\r\n")), "cookie")) sensitiveCookies(value);
  const reply = await exchange(port, bytes);
  for (const cookie of reply.setCookies) sensitive(cookieValue(cookie));
  return reply;
}

/** The same for those who send so much that no account of it could be kept. */
export async function exchange(port, bytes, patience = PATIENCE) {
  const socket = net.connect(port, "127.0.0.1");
  socket.setTimeout(patience, () => socket.destroy(new Error(`no answer within ${patience} ms`)));
  const reader = socketReader(socket);
  socket.write(Buffer.from(bytes, "latin1"));
  try {
    const isHead = bytes.startsWith("HEAD ");
    return asAnswer(await readMessage(reader, (head) => isHead || /^HTTP\/1\.[01] (1..|204|304)/.test(head)));
  } finally {
    socket.destroy();
  }
}

function asAnswer({ head, body }) {
  const [, status, statusText] = /^HTTP\/1\.[01] (\d{3}) ?([^\r]*)/.exec(head);
  const setCookies = headerValues(head, "set-cookie");
  return {
    status: Number(status),
    statusText,
    head,
    headers: headerLines(head),
    header: (name) => headerValues(head, name).join(", ") || null,
    setCookies,
    body,
    text: body.toString("utf8"),
    json: () => JSON.parse(body.toString("utf8")),
  };
}

const cookieValue = (setCookie) => setCookie.slice(setCookie.indexOf("=") + 1).split(";")[0];

const PATIENCE = 15_000;
