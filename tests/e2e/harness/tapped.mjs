// Stands before a site and keeps what passes: the Cookie headers as they arrive, and the cookies that the site sets.
import { sendBytes } from "./client.mjs";
import { answer, rawOrigin } from "./raw-origin.mjs";

/** An origin as of rawOrigin, answered by `site`; `lastSet` is what it set last, in the form of a Cookie header. */
export async function tapped(t, site) {
  const origin = await rawOrigin(t, (request) =>
    forwarded(site, request, ({ setCookies }) => {
      if (setCookies.length) origin.lastSet = setCookies.map((cookie) => cookie.split(";")[0].trim()).join("; ");
    }),
  );
  return origin;
}

/** What a site answers to a request as of rawOrigin; `look` sees it first. */
export async function forwarded(site, { head, body }, look = () => {}) {
  const reply = await sendBytes(site.port, head + body.toString("latin1"));
  look(reply);
  const headers = reply.headers.filter(([name]) => !OF_ONE_CONNECTION.test(name)).map((header) => header.join(": "));
  return answer(`${reply.status} ${reply.statusText}`, headers, reply.body.toString("latin1"));
}

const OF_ONE_CONNECTION = /^(connection|keep-alive|transfer-encoding|content-length)$/i;
