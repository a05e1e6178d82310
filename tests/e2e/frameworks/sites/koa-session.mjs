// Koa with koa-session.
import Koa from "koa";
import session from "koa-session";
import { KEY, MAX_AGE, serve } from "./serve.mjs";

const site = new Koa();
site.keys = [KEY];
site.proxy = true;
site.use(session({ ...MAX_AGE }, site));
site.use((context) => {
  if (context.path === "/login") context.session.user = context.query.user;
  if (context.path === "/logout") context.session = null;
  context.body = context.session?.user ?? "nobody";
});
serve("koa-session", site.callback());
