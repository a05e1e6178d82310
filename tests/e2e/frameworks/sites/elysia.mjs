// Elysia with a signed cookie. It decodes a cookie twice, so the name goes in without percent signs.
import { Elysia } from "elysia";
import { KEY, LIFETIME, serveFetch } from "./serve.mjs";

const OPTIONS = { path: "/", httpOnly: true, secure: true, ...(LIFETIME && { maxAge: LIFETIME }) };

const site = new Elysia({ cookie: { secrets: KEY, sign: ["user"] } })
  .onError(({ code }) => code === "INVALID_COOKIE_SIGNATURE" && new Response("nobody"))
  .get("/", ({ cookie: { user } }) => (user.value ? Buffer.from(user.value, "base64url").toString() : "nobody"))
  .get("/login", ({ cookie: { user }, query, redirect }) => {
    user.set({ value: Buffer.from(query.user).toString("base64url"), ...OPTIONS });
    return redirect("/");
  })
  .get("/logout", ({ cookie: { user }, redirect }) => {
    user.set({ value: "", ...OPTIONS, maxAge: 0 });
    return redirect("/");
  });
serveFetch("elysia", site.fetch);
