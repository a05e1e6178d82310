// React Router's session in a signed cookie, which was Remix's.
import { createCookieSessionStorage } from "react-router";
import { KEY, LIFETIME, redirect, serveFetch } from "./serve.mjs";

const { commitSession, destroySession, getSession } = createCookieSessionStorage({
  cookie: {
    name: "__session",
    secrets: [KEY],
    path: "/",
    httpOnly: true,
    secure: true,
    sameSite: "lax",
    ...(LIFETIME && { maxAge: LIFETIME }),
  },
});

serveFetch("react-router", async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  const session = await getSession(request.headers.get("cookie"));
  if (pathname === "/logout") return redirect([await destroySession(session)]);
  if (pathname !== "/login") return new Response(session.get("user") ?? "nobody");
  session.set("user", searchParams.get("user"));
  return redirect([await commitSession(session)]);
});
