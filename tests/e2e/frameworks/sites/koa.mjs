// Koa with a signed cookie of its own.
import Koa from "koa";
import { KEY, MAX_AGE, serve } from "./serve.mjs";

const SIGNED = { signed: true, ...MAX_AGE };

const site = new Koa();
site.keys = [KEY];
site.proxy = true;
site.use((context) => {
  if (context.path === "/login") context.cookies.set("user", encodeURIComponent(context.query.user), SIGNED);
  if (context.path === "/logout") context.cookies.set("user", null, SIGNED);
  context.body = decodeURIComponent(context.cookies.get("user", SIGNED) ?? "nobody");
});
serve("koa", site.callback());
