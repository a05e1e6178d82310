// 300 MB each way through the Worker, while the memory of the runtime's process stays flat.
import assert from "node:assert/strict";
import fs from "node:fs/promises";
import http from "node:http";
import test, { after } from "node:test";
import { once } from "node:events";
import { ago, answer, edgeAndOrigin, NAVIGATION, parseSetCookie, pinned, send, signer } from "./harness.mjs";

const SIZE = 300 * 1024 * 1024;
const CHUNK = Buffer.alloc(256 * 1024, "countersign ");
const ALLOWED_GROWTH = 64 * 1024 * 1024;

const skip = process.platform === "linux" ? false : "memory is read from /proc";

const sign = await signer({ after });
const cookie = `sessionid=${await sign.session("OLD_KEY", { at: ago(10) })}`;
const setSession = `Set-Cookie: sessionid=${await sign.session("ORIGIN_KEY")}; Path=/`;

test("a download of 300 MB streams, with an upgrade in its head", { skip, timeout: 60_000 }, async (t) => {
  const { edge } = await edgeAndOrigin(t, pinned(), ({ path }, socket) =>
    path === "/small" ? answer("200 OK") : void download(socket),
  );
  await assertFlat(edge, async () => {
    const response = await ask(edge.port, { headers: { ...NAVIGATION, Cookie: cookie, Host: "shop.example" } });
    await sign.readSession("NEW_KEY", parseSetCookie(response.headers["set-cookie"][0]).value);
    let received = 0;
    for await (const data of response) received += data.length;
    assert.equal(received, SIZE);
  });
});

test("an upload of 300 MB streams, and its answer's cookie is sealed", { skip, timeout: 60_000 }, async (t) => {
  const { edge, origin } = await edgeAndOrigin(t, pinned(), async (request, socket, reader) => {
    if (request.path === "/small") return answer("200 OK");
    let received = 0;
    while (received < SIZE && (await reader.more())) received += reader.takeHeld().length;
    return answer("200 OK", [setSession], String(received));
  });
  origin.leavesBodies = (head) => head.startsWith("PUT");
  await assertFlat(edge, async () => {
    const response = await ask(
      edge.port,
      { method: "PUT", headers: { Cookie: cookie, "Content-Length": SIZE } },
      upload,
    );
    await sign.readSession("NEW_KEY", parseSetCookie(response.headers["set-cookie"][0]).value);
    assert.equal(Number(Buffer.concat(await response.toArray())), SIZE);
  });
});

async function assertFlat(edge, transfer) {
  await send(edge.port, { path: "/small", cookie });
  const before = await peakMemory(edge.pid);
  await transfer();
  const growth = (await peakMemory(edge.pid)) - before;
  assert.ok(growth < ALLOWED_GROWTH, `the process grew by ${Math.round(growth / 1024 / 1024)} MB`);
}

/** The most memory that a process has ever held, in bytes. */
async function peakMemory(pid) {
  const status = await fs.readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)[1]) * 1024;
}

async function download(socket) {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
  for (let sent = 0; sent < SIZE; sent += CHUNK.length) {
    if (!socket.write(CHUNK)) await once(socket, "drain");
  }
}

async function upload(request) {
  for (let sent = 0; sent < SIZE; sent += CHUNK.length) {
    if (!request.write(CHUNK)) await once(request, "drain");
  }
  request.end();
}

async function ask(port, options, writeBody = (request) => request.end()) {
  const request = http.request({ host: "127.0.0.1", port, agent: false, ...options });
  const answered = once(request, "response");
  await writeBody(request);
  return (await answered)[0];
}
