// Node's http with NextAuth 4, as an API route and a page of Next.js call it.
import { parse } from "cookie";
import nextAuth from "next-auth/next";
import credentials from "next-auth/providers/credentials";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { clientOf } from "./authjs-client.mjs";
import { announce, KEY, LIFETIME } from "./serve.mjs";

const SESSION = "__Secure-next-auth.session-token";
const OPTIONS = {
  secret: KEY,
  useSecureCookies: true,
  session: { strategy: "jwt", ...(LIFETIME && { maxAge: LIFETIME }) },
  providers: [credentials.default({ credentials: { user: {} }, authorize: ({ user }) => ({ id: user, name: user }) })],
};

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://site");
  if (pathname.startsWith("/api/auth/")) return route(request, response, pathname.split("/").slice(3));
  if (pathname === "/login") response.setHeader("Set-Cookie", await client().login(searchParams.get("user")));
  if (pathname === "/logout") response.setHeader("Set-Cookie", await client().logout(request.headers.cookie));
  response.end(pathname === "/" ? await userOf(request, response) : "ok");
});
server.listen(0, "127.0.0.1", () => {
  process.env.NEXTAUTH_URL = `http://127.0.0.1:${server.address().port}`;
  announce("next-auth", server.address().port);
});

const client = () => clientOf(`${process.env.NEXTAUTH_URL}/api/auth`, SESSION);

/** What Next.js gives an API route. */
async function route(request, response, nextauth) {
  const body = Object.fromEntries(new URLSearchParams(await text(request)));
  Object.assign(request, { query: { nextauth }, cookies: parse(request.headers.cookie ?? ""), body });
  const send = (body) => response.end(typeof body === "object" ? JSON.stringify(body) : body);
  Object.assign(response, { status: (code) => Object.assign(response, { statusCode: code }), send, json: send });
  await nextAuth.default(request, response, OPTIONS);
}

async function userOf(request, response) {
  request.cookies = parse(request.headers.cookie ?? "");
  const session = await nextAuth.getServerSession(request, response, OPTIONS);
  // beside the session it remembers a page, in a cookie that is not signed
  const set = response.getHeader("Set-Cookie") ?? [];
  response.setHeader("Set-Cookie", set.filter((cookie) => cookie.startsWith(`${SESSION}=`)));
  return session?.user.name ?? "nobody";
}
