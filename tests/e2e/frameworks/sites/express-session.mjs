// Express with express-session, whose sessions are in the memory of this process.
import express from "express";
import session from "express-session";
import { KEY, MAX_AGE, serve } from "./serve.mjs";

const site = express();
site.set("trust proxy", true);
site.use(session({ secret: KEY, resave: false, saveUninitialized: false, cookie: { secure: true, ...MAX_AGE } }));
site.get("/", (request, response) => response.send(request.session.user ?? "nobody"));
site.get("/login", (request, response) =>
  request.session.regenerate(() => {
    request.session.user = request.query.user;
    response.redirect("/");
  }),
);
site.get("/logout", (request, response) =>
  request.session.destroy(() => response.clearCookie("connect.sid").redirect("/")),
);
serve("express-session", site);
