// Express with express-session, whose sessions are in the memory of this process.
import express from "express";
import session from "express-session";
import { KEY, serve } from "./serve.mjs";

const site = express();
site.use(session({ secret: KEY, resave: false, saveUninitialized: false }));
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
