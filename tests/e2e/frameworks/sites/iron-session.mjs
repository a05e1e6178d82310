// Node's http with iron-session.
import { getIronSession } from "iron-session";
import { KEY, serve } from "./serve.mjs";

serve("iron-session", async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://site");
  const session = await getIronSession(request, response, { password: KEY, cookieName: "session" });
  if (pathname === "/login") {
    session.user = searchParams.get("user");
    await session.save();
  }
  if (pathname === "/logout") session.destroy();
  response.end(session.user ?? "nobody");
});
