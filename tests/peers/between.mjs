// The Worker for one run of a suite, between two ports that the suite's own process is told.
import net from "node:net";
import { worker } from "../e2e/harness.mjs";

/**
 * Runs `work({PEERS_WORKER_PORT, PEERS_ORIGIN_PORT})`: the Worker
 * listens at the first, and the suite has to at the second.
 */
export async function between(config, secrets, work) {
  const ends = [];
  const origin = { port: await freePort() };
  try {
    const { port } = await worker({ after: (end) => ends.push(end) }, { config, secrets, origin });
    return await work({ PEERS_WORKER_PORT: String(port), PEERS_ORIGIN_PORT: String(origin.port) });
  } finally {
    for (const end of ends) await end();
  }
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
