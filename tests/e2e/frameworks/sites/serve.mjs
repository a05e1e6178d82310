// Serves a site on a free port; the first line says its version and address.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";

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

/** The same of a function from a Request to a Response, as the web has them. */
export function serveFetch(npmPackage, handle) {
  serve(npmPackage, getRequestListener(handle));
}

/** A response that sends the visitor to the first page, with these cookies. */
export function redirect(setCookies = []) {
  return new Response(null, { status: 302, headers: [["location", "/"], ...setCookies.map((text) => ["set-cookie", text])] });
}

export function announce(npmPackage, port) {
  const file = new URL(`../../../node_modules/${npmPackage}/package.json`, import.meta.url);
  console.log(`${npmPackage} ${JSON.parse(readFileSync(file)).version} http://127.0.0.1:${port}`);
}
