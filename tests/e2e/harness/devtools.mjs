// A real Chromium that the test looks into: what the page says, what its console and its policy complain of, and how
// it looks. It is spoken to over a pipe (the DevTools protocol), so no port is opened.
import { writeFileSync } from "node:fs";
import { FLAGS, chromium } from "./chromium.mjs";
import { end, start, temporaryFolder } from "./processes.mjs";

/** A browser with one empty page; it is closed after the test. */
export async function openBrowser(t) {
  const child = start(chromium(), [...FLAGS, "--remote-debugging-pipe", `--user-data-dir=${temporaryFolder()}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    detached: true,
  });
  t.after(async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // it has ended
    }
    await end(child);
  });
  const connection = connect(child.stdio[3], child.stdio[4]);
  const { targetInfos } = await connection.call("Target.getTargets");
  const { targetId } = targetInfos.find(({ type }) => type === "page");
  return page(connection, targetId);
}

async function page(connection, targetId) {
  const { sessionId } = await connection.call("Target.attachToTarget", { targetId, flatten: true });
  const call = (method, params) => connection.call(method, params, sessionId);
  const complaints = [];
  connection.on((method, params, session) => {
    if (session !== sessionId) return;
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled" && params.type === "error") complaints.push(params.args.map(({ value }) => value).join(" "));
    // what the network and the Content-Security-Policy refused
    if (method === "Log.entryAdded" && params.entry.level === "error") complaints.push(params.entry.text);
  });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await call(`${domain}.enable`);

  const self = {
    /** What the console and the policy have complained of. */
    complaints,
    call,
    /** What an expression or a promise comes to. */
    async evaluate(expression) {
      const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    go: (url) => call("Page.navigate", { url }),
    /** Waits until an expression is true. */
    async until(expression) {
      for (const last = Date.now() + PATIENCE; ; ) {
        if (await self.evaluate(expression).catch(() => false)) return;
        if (Date.now() > last) throw new Error(`not within ${PATIENCE} ms: ${expression}\n${await self.text()}\n${complaints.join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    /** All that can be read. */
    text: () => self.evaluate("document.body.innerText"),
    /** The window's width and height in CSS pixels, and the theme that the system prefers. */
    async look(width, height, theme) {
      await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
      await call("Emulation.setScrollbarsHidden", { hidden: true });
      await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: theme }] });
    },
    /** The whole page as a PNG. */
    async screenshot(file) {
      const { data } = await call("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
      writeFileSync(file, Buffer.from(data, "base64"));
    },
  };
  return self;
}

/** Messages end with a zero byte. */
function connect(input, output) {
  const waiting = new Map();
  const listeners = [];
  let held = "";
  let last = 0;
  input.on("error", () => {}); // it has been closed
  output.setEncoding("utf8").on("data", (text) => {
    const messages = (held + text).split("\0");
    held = messages.pop();
    for (const { id, method, params, result, error, sessionId } of messages.map((message) => JSON.parse(message))) {
      if (id === undefined) listeners.forEach((listener) => listener(method, params, sessionId));
      else if (error) waiting.get(id)?.reject(new Error(error.message));
      else waiting.get(id)?.resolve(result);
      waiting.delete(id);
    }
  });
  return {
    call: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        input.write(`${JSON.stringify({ id: last, method, params, ...(sessionId && { sessionId }) })}\0`);
      }),
    on: (listener) => listeners.push(listener),
  };
}

const PATIENCE = 30_000;
