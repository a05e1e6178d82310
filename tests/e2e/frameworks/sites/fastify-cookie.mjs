// Fastify with a signed cookie of @fastify/cookie.
import cookie from "@fastify/cookie";
import fastify from "fastify";
import { announce, KEY, LIFETIME } from "./serve.mjs";

const SIGNED = { signed: true, httpOnly: true, secure: true, path: "/", ...(LIFETIME && { maxAge: LIFETIME }) };

const site = fastify();
site.register(cookie, { secret: KEY });
site.get("/", (request) => {
  const { valid, value } = request.unsignCookie(request.cookies.user ?? "");
  return valid ? value : "nobody";
});
site.get("/login", (request, reply) =>
  reply.setCookie("user", request.query.user, SIGNED).redirect("/"),
);
site.get("/logout", (request, reply) => reply.clearCookie("user", { path: "/" }).redirect("/"));
await site.listen({ host: "127.0.0.1", port: 0 });
announce("@fastify/cookie", site.server.address().port);
