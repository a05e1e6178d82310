// Express with a signed cookie of cookie-parser.
import cookieParser from "cookie-parser";
import express from "express";
import { KEY, MAX_AGE, serve } from "./serve.mjs";

const site = express();
site.use(cookieParser(KEY));
site.get("/", (request, response) => response.send(request.signedCookies.user || "nobody"));
site.get("/login", (request, response) =>
  response.cookie("user", request.query.user, { signed: true, httpOnly: true, secure: true, ...MAX_AGE }).redirect("/"),
);
site.get("/logout", (request, response) => response.clearCookie("user").redirect("/"));
serve("cookie-parser", site);
