// hapi with @hapi/cookie, whose cookie is sealed by iron.
import cookie from "@hapi/cookie";
import hapi from "@hapi/hapi";
import { OPTIONS } from "./hapi-options.mjs";
import { announce, KEY, MAX_AGE } from "./serve.mjs";

const site = hapi.server(OPTIONS);
await site.register(cookie);
site.auth.strategy("session", "cookie", {
  cookie: { password: KEY, path: "/", ttl: MAX_AGE.maxAge ?? null },
  validate: (request, session) => ({ isValid: true, credentials: session }),
});
site.auth.default({ strategy: "session", mode: "try" });
site.route([
  { method: "GET", path: "/", handler: ({ auth }) => auth.credentials?.user ?? "nobody" },
  {
    method: "GET",
    path: "/login",
    handler: ({ cookieAuth, query }, h) => {
      cookieAuth.set({ user: query.user });
      return h.redirect("/");
    },
  },
  {
    method: "GET",
    path: "/logout",
    handler: ({ cookieAuth }, h) => {
      cookieAuth.clear();
      return h.redirect("/");
    },
  },
]);
await site.start();
announce("@hapi/cookie", site.info.port);
