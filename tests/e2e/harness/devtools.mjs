// Drives a real Chromium by the DevTools protocol, over a pipe: opens pages, presses keys, and hears what the console
// says.
import { writeFileSync } from "node:fs";
import { chromium, FLAGS } from "./chromium.mjs";
import { end, start, temporaryFolder } from "./processes.mjs";

const PATIENCE_MS = 30_000;

/**
 * Starts a browser, with further flags, which ends after the test; resolves with `{page, leave, cookies,
 * setCookie, clearCookies}`: `page` opens a page (see `Page`), `leave` one that is left to its own scripts, since
 * Chromium shows no page that it rendered ahead while it is driven; the others are about all that the browser holds, as
 * the DevTools protocol describes cookies.
 */
export async function drivenBrowser(t, further = []) {
  const flags = [...FLAGS, ...further, "--remote-debugging-pipe", `--user-data-dir=${temporaryFolder()}`, "about:blank"];
  const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
  const child = start(chromium(), flags, { stdio, detached: true });
  t.after(async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // it has ended
    }
    await end(child);
  });
  const connection = connectionBy(child.stdio[3], child.stdio[4]);
  return {
    page: async () => {
      const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await connection.send("Target.attachToTarget", { targetId, flatten: true });
      const page = new Page(connection, sessionId);
      for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
      return page;
    },
    leave: (url) => connection.send("Target.createTarget", { url }),
    cookies: async () => (await connection.send("Storage.getCookies")).cookies,
    setCookie: (cookie) => connection.send("Storage.setCookies", { cookies: [cookie] }),
    clearCookies: () => connection.send("Storage.clearCookies"),
  };
}

/** A tab. `errors` are what its console said that is an error, `requests` the addresses that it asked for. */
export class Page {
  errors = [];
  requests = [];
  #connection;
  #session;

  constructor(connection, session) {
    this.#connection = connection;
    this.#session = session;
    connection.listen(session, {
      "Runtime.exceptionThrown": ({ exceptionDetails: { text, exception } }) =>
        this.errors.push(`${text} ${exception?.description ?? ""}`),
      "Runtime.consoleAPICalled": ({ type, args }) =>
        type === "error" && this.errors.push(args.map(({ value }) => value).join(" ")),
      "Log.entryAdded": ({ entry: { level, text, url } }) => level === "error" && this.errors.push(`${text} ${url}`),
      "Network.requestWillBeSent": ({ request }) => this.requests.push(request.url),
    });
  }

  send = (method, parameters) => this.#connection.send(method, parameters, this.#session);

  /** Opens an address and waits until it is loaded. */
  async open(url) {
    await this.send("Page.navigate", { url });
    await this.until(`document.readyState === "complete" && location.href.startsWith(${JSON.stringify(url)})`);
  }

  /** Goes to an address, and waits for nothing. */
  go = (url) => this.send("Page.navigate", { url });

  /** The value of an expression in the page; of a promise, what it resolves with. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Runs a script as if the visitor had pressed something; what comes of it is not waited for. */
  press = (script) => this.send("Runtime.evaluate", { expression: `void (${script})`, userGesture: true });

  /** Waits until an expression holds, across the loading of pages; fails with what it was last. */
  async until(expression) {
    let last;
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await pause(50)) {
      last = await this.value(expression).catch((error) => error.message);
      if (last === true) return;
    }
    throw new Error(`never: ${expression} (${JSON.stringify(last)})\n${await this.text().catch(() => "")}\n${this.errors.join("\n")}`);
  }

  /** All that can be read. */
  text = () => this.value("document.body.innerText");

  /** Writes the whole page as a PNG. */
  async screenshot(file) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(file, Buffer.from(data, "base64"));
  }

  /** Gives an element the focus and presses Enter, as somebody without a mouse does. */
  async pressEnter(selector) {
    await this.value(`document.querySelector(${JSON.stringify(selector)}).focus()`);
    const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...key });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
  }

  /** Presses Enter on an element and waits for the page that this opens. */
  async pressAndLoad(selector) {
    await this.value("window.isBefore = true");
    await this.pressEnter(selector);
    await this.until(`!window.isBefore && document.readyState === "complete"`);
  }

  /** Goes back (-1) or forward (1) to an address. */
  async travel(by, url) {
    await this.value(`history.go(${by})`);
    await this.until(`document.readyState === "complete" && location.href === ${JSON.stringify(url)}`);
  }

  /** Loads the page anew. */
  async reload() {
    await this.value("window.isBefore = true");
    await this.send("Page.reload");
    await this.until(`!window.isBefore && document.readyState === "complete"`);
  }

  /** A window of this size in CSS pixels, whose scrollbars take no room, and what its owner prefers: "light" or "dark". */
  async show({ width, height = 900, prefers = "light" }) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.send("Emulation.setScrollbarsHidden", { hidden: true }); // which come and go while it is resized
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: prefers }] });
  }
}

/** Messages end with a zero byte. */
function connectionBy(input, output) {
  const waiting = new Map();
  const listeners = new Map();
  let held = "";
  let last = 0;
  input.on("error", () => {}); // it has been closed
  output.setEncoding("utf8").on("data", (text) => {
    const messages = (held + text).split("\0");
    held = messages.pop();
    messages.map((message) => JSON.parse(message)).forEach(receive);
  });
  function receive({ id, method, params, result, error, sessionId }) {
    if (method) return listeners.get(sessionId)?.[method]?.(params);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    error ? reject(new Error(error.message)) : resolve(result);
  }
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        input.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
      }),
    listen: (sessionId, handlers) => listeners.set(sessionId, handlers),
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
