// Serves a site on a free port; the first line says its version and address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

export const KEY = process.env.ORIGIN_KEY;

/** How long the cookie is to last, in seconds; undefined for the framework's default. */
export const LIFETIME = process.env.LIFETIME && Number(process.env.LIFETIME);

/** The same in milliseconds, as most options want it: nothing where the default is to hold. */
export const MAX_AGE = LIFETIME ? { maxAge: LIFETIME * 1000 } : {};

export function serve(npmPackage, handle) {
  const server = createServer((request, response) => {
    request.headers["x-forwarded-proto"] = "https"; // as the edge in front of a site says
    handle(request, response);
  });
  server.listen(0, "127.0.0.1", () => announce(npmPackage, server.address().port));
}

export function announce(npmPackage, port) {
  const file = new URL(`../../../node_modules/${npmPackage}/package.json`, import.meta.url);
  console.log(`${npmPackage} ${JSON.parse(readFileSync(file)).version} http://127.0.0.1:${port}`);
}
