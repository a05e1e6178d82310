// Express with a token of jsonwebtoken in a cookie.
import cookieParser from "cookie-parser";
import express from "express";
import jwt from "jsonwebtoken";
import { KEY, MAX_AGE, serve } from "./serve.mjs";

const site = express();
site.use(cookieParser());
site.get("/", (request, response) => response.send(userOf(request.cookies.token)));
site.get("/login", (request, response) => {
  const token = jwt.sign({ sub: request.query.user }, KEY, { expiresIn: "1h" });
  response.cookie("token", token, { httpOnly: true, secure: true, ...MAX_AGE }).redirect("/");
});
site.get("/logout", (request, response) => response.clearCookie("token").redirect("/"));
serve("jsonwebtoken", site);

function userOf(token) {
  try {
    return jwt.verify(token, KEY, { algorithms: ["HS256"] }).sub;
  } catch {
    return "nobody";
  }
}
