// Fastify with @fastify/secure-session.
import secureSession from "@fastify/secure-session";
import fastify from "fastify";
import { announce, KEY, LIFETIME } from "./serve.mjs";

const site = fastify();
site.register(secureSession, { key: Buffer.from(KEY, "base64"), cookie: { path: "/", secure: true, ...(LIFETIME && { maxAge: LIFETIME }) } });
site.get("/", (request) => request.session.get("user") ?? "nobody");
site.get("/login", (request, reply) => {
  request.session.set("user", request.query.user);
  reply.redirect("/");
});
site.get("/logout", (request, reply) => {
  request.session.delete();
  reply.redirect("/");
});
await site.listen({ host: "127.0.0.1", port: 0 });
announce("@fastify/secure-session", site.server.address().port);
