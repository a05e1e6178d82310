// h3 1 with its session, which Nuxt and Nitro 2 have.
import { createServer } from "node:http";
import { clearSession, createApp, eventHandler, getQuery, getRequestURL, toNodeListener, useSession } from "h3-1";
import { announce, KEY, LIFETIME } from "./serve.mjs";

const CONFIG = { password: KEY, ...(LIFETIME && { maxAge: LIFETIME }) };

const site = createApp();
site.use(
  eventHandler(async (event) => {
    const { pathname } = getRequestURL(event);
    if (pathname === "/logout") {
      await clearSession(event, CONFIG);
      return "nobody";
    }
    const session = await useSession(event, CONFIG);
    if (pathname === "/login") await session.update({ user: getQuery(event).user });
    return session.data.user ?? "nobody";
  }),
);
const server = createServer(toNodeListener(site));
server.listen(0, "127.0.0.1", () => announce("h3-1", server.address().port));
