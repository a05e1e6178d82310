// Express with cookie-session.
import cookieSession from "cookie-session";
import express from "express";
import { KEY, serve } from "./serve.mjs";

const site = express();
site.use(cookieSession({ keys: [KEY] }));
site.get("/", (request, response) => response.send(request.session.user ?? "nobody"));
site.get("/login", (request, response) => {
  request.session.user = request.query.user;
  response.redirect("/");
});
site.get("/logout", (request, response) => {
  request.session = null;
  response.redirect("/");
});
serve("cookie-session", site);
