// Hono with a signed cookie.
import { Hono } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { KEY, LIFETIME, serveFetch } from "./serve.mjs";

const OPTIONS = { httpOnly: true, secure: true, sameSite: "Lax", ...(LIFETIME && { maxAge: LIFETIME }) };

const site = new Hono();
site.get("/", async (context) => context.text((await getSignedCookie(context, KEY, "user")) || "nobody"));
site.get("/login", async (context) => {
  await setSignedCookie(context, "user", context.req.query("user"), KEY, OPTIONS);
  return context.redirect("/");
});
site.get("/logout", (context) => {
  deleteCookie(context, "user", OPTIONS);
  return context.redirect("/");
});
serveFetch("hono", site.fetch);
