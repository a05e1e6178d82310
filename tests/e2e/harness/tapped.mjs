// Stands before a site and keeps what passes: the Cookie headers as they arrive, and the cookies that the site sets.
import { sendBytes } from "./client.mjs";
import { answer, rawOrigin } from "./raw-origin.mjs";

/** An origin as of rawOrigin, answered by `site`; `lastSet` is what it set last, in the form of a Cookie header. */
export async function tapped(t, site) {
  const origin = await rawOrigin(t, async ({ head, body }) => {
    const reply = await sendBytes(site.port, head + body.toString("latin1"));
    if (reply.setCookies.length) origin.lastSet = reply.setCookies.map((cookie) => cookie.split(";")[0]).join("; ");
    const headers = reply.headers.filter(([name]) => !OF_ONE_CONNECTION.test(name)).map((header) => header.join(": "));
    return answer(`${reply.status} ${reply.statusText}`, headers, reply.body.toString("latin1"));
  });
  return origin;
}

const OF_ONE_CONNECTION = /^(connection|keep-alive|transfer-encoding|content-length)$/i;
