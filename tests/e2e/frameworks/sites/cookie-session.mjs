// Express with cookie-session.
import cookieSession from "cookie-session";
import express from "express";
import { KEY, MAX_AGE, serve } from "./serve.mjs";

const site = express();
site.set("trust proxy", true);
site.use(cookieSession({ keys: [KEY], ...MAX_AGE }));
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
