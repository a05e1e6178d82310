// A network that is slow both ways, and a site behind it whose pages take as long as their address says.
import http from "node:http";
import { setTimeout } from "node:timers/promises";

const DELETION = "sessionid=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax";

/** A site: /page shows a page, /logout one that deletes the session. `last(id)` is the one of a trial answered last. */
export async function site(t) {
  const last = new Map();
  const port = await listening(t, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://site");
    await setTimeout(Number(searchParams.get("wait")));
    last.set(searchParams.get("id"), pathname);
    const headers = { "content-type": "text/html", "cache-control": "private" };
    response.writeHead(200, pathname === "/logout" ? { ...headers, "set-cookie": DELETION } : headers);
    response.end('<link rel="icon" href="data:,">');
  });
  return { port, last: (id) => last.get(id) };
}

/**
 * A network of one browser. `trial` is what it is like: `ports` where a path leads to, and `delays`, the waits in
 * milliseconds of a path's request and answer.
 */
export async function slowNetwork(t) {
  const network = { port: 0, trial: undefined };
  const agent = new http.Agent({ keepAlive: true });
  network.port = await listening(t, async (request, response) => {
    const { pathname } = new URL(request.url, "http://network");
    const { ports, delays } = network.trial;
    const [there, back] = delays[pathname];
    await setTimeout(there);
    const { method, url: path, headers } = request;
    const onward = http.request({ agent, host: "127.0.0.1", port: ports[pathname], method, path, headers });
    onward.on("error", () => response.destroy());
    onward.on("response", async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      await setTimeout(back);
      response.writeHead(answer.statusCode, answer.rawHeaders);
      response.end(body);
    });
    onward.end();
  });
  t.after(() => agent.destroy());
  return network;
}

async function listening(t, handle) {
  const server = http.createServer(handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.closeAllConnections() ?? server.close());
  return server.address().port;
}
