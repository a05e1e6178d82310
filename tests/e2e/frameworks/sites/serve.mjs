// Serves a site on a free port; the first line says its version and address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

export const KEY = process.env.ORIGIN_KEY;

export function serve(npmPackage, handle) {
  const server = createServer(handle);
  server.listen(0, "127.0.0.1", () => announce(npmPackage, server.address().port));
}

export function announce(npmPackage, port) {
  const file = new URL(`../../../node_modules/${npmPackage}/package.json`, import.meta.url);
  console.log(`${npmPackage} ${JSON.parse(readFileSync(file)).version} http://127.0.0.1:${port}`);
}
