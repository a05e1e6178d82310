// h3 2 with its session, which Nitro 3 has.
import { clearSession, H3, serve, useSession } from "h3-2";
import { announce, KEY, LIFETIME } from "./serve.mjs";

const CONFIG = { password: KEY, ...(LIFETIME && { maxAge: LIFETIME }) };

const site = new H3();
site.get("/**", async (event) => {
  const { pathname, searchParams } = event.url;
  if (pathname === "/logout") {
    await clearSession(event, CONFIG);
    return "nobody";
  }
  const session = await useSession(event, CONFIG);
  if (pathname === "/login") await session.update({ user: searchParams.get("user") });
  return session.data.user ?? "nobody";
});
const server = serve(site, { port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
announce("h3-2", new URL(server.url).port);
