// hapi with a signed cookie of its own.
import hapi from "@hapi/hapi";
import { OPTIONS } from "./hapi-options.mjs";
import { announce, KEY, MAX_AGE } from "./serve.mjs";

const site = hapi.server(OPTIONS);
site.state("user", {
  sign: { password: KEY },
  encoding: "base64",
  path: "/",
  ttl: MAX_AGE.maxAge ?? null,
  ignoreErrors: true,
});
site.route([
  { method: "GET", path: "/", handler: ({ state }) => state.user ?? "nobody" },
  { method: "GET", path: "/login", handler: ({ query }, h) => h.redirect("/").state("user", query.user) },
  { method: "GET", path: "/logout", handler: (request, h) => h.redirect("/").unstate("user") },
]);
await site.start();
announce("@hapi/hapi", site.info.port);
