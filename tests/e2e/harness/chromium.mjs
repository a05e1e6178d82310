// A real Chromium without a driver: it opens one page, whose own scripts do the rest.
import { eachLine, end, start, temporaryFolder } from "./processes.mjs";
import { withTool } from "./installed.mjs";

/** The path of Chromium, or null where none is installed. */
export const chromium = () => withTool("chromium", (path) => path) ?? withTool("chromium-browser", (path) => path);

/** Opens a page, and closes the browser after the test. Nothing but this machine is asked for anything. */
export function openPage(t, url) {
  const child = start(chromium(), [...FLAGS, `--user-data-dir=${temporaryFolder()}`, url], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // a group of its own, its helpers among it
  });
  const said = [];
  eachLine(child.stderr, (line) => line.includes("/dbus/") || said.push(line)); // of which there is none in a container
  t.after(async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // it has ended
    }
    await end(child);
  });
  return { said: () => said.join("\n") };
}

/** How it is started: nothing but this machine is asked for anything. */
export const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];
