// Express with a cookie that nobody signs, its value written as it is.
import cookieParser from "cookie-parser";
import express from "express";
import { serve } from "./serve.mjs";

const site = express();
site.use(cookieParser());
site.get("/", (request, response) => response.json(request.cookies.user ?? null));
site.get("/login", (request, response) => {
  // in UTF-8: Node writes a character of a header as a byte
  const value = Buffer.from(request.query.user).toString("latin1");
  response.setHeader("Set-Cookie", `user=${value}; Path=/; HttpOnly`);
  response.redirect("/");
});
site.get("/logout", (request, response) => response.clearCookie("user").redirect("/"));
serve("express", site);
