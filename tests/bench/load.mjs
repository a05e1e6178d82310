// The load: some connections, on each one request after another, and a look at every answer.
import net from "node:net";
import { Alike, endOfResponse, messages } from "./exchange.mjs";

const CONNECTIONS = 16;
const STALLED_MS = 20_000;

/** The bytes of a browser's request for a page. */
export function request(cookie) {
  const lines = [
    "GET /orders/?page=2 HTTP/1.1",
    "Host: shop.example.com",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: de,en-US;q=0.7,en;q=0.3",
    "Referer: https://shop.example.com/",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    ...(cookie ? [`Cookie: ${cookie}`] : []),
  ];
  return Buffer.from([...lines, "", ""].join("\r\n"), "latin1");
}

/** Connections to a server. `send` makes `count` requests in all and tells how long they took and what came back. */
export async function load(port, connections = CONNECTIONS) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connected(port)));
  let onAnswer = () => {};
  let onEnd = () => {};
  for (const socket of sockets) {
    messages(socket, endOfResponse, (answer) => onAnswer(socket, answer));
    socket.on("error", (error) => onEnd(error)).on("close", () => onEnd(new Error("the server closed a connection")));
  }

  async function send(bytes, count, varies) {
    const answers = new Alike(varies);
    const began = performance.now();
    let sent = 0;
    let [watch, watched] = [undefined, -1];
    await new Promise((resolve, reject) => {
      const next = (socket) => (sent++ < count ? socket.write(bytes) : undefined);
      watch = setInterval(() => {
        if (watched === answers.seen) reject(new Error(`no answer for 20 seconds, after ${answers.seen} of ${count}`));
        watched = answers.seen;
      }, STALLED_MS);
      onEnd = reject;
      onAnswer = (socket, answer) => {
        answers.see(answer);
        if (answers.seen === count) resolve();
        else next(socket);
      };
      sockets.forEach(next);
    }).finally(() => {
      clearInterval(watch);
      onEnd = () => {};
    });
    return { seconds: (performance.now() - began) / 1000, answers: answers.shown };
  }

  return { send, stop: () => sockets.forEach((socket) => socket.destroy()) };
}

function connected(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(socket.setNoDelay(true)));
    socket.once("error", reject);
  });
}
