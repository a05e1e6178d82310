// Koa with koa-session. Told no maxAge, it sets a first cookie that ends with the browser and later ones that last its
// default of a day.
import Koa from "koa";
import session from "koa-session";
import { KEY, serve } from "./serve.mjs";

const ONE_DAY = 24 * 60 * 60 * 1000;

const site = new Koa();
site.keys = [KEY];
site.proxy = true;
site.use(session({ maxAge: ONE_DAY }, site));
site.use((context) => {
  if (context.path === "/login") context.session.user = context.query.user;
  if (context.path === "/logout") context.session = null;
  context.body = context.session?.user ?? "nobody";
});
serve("koa-session", site.callback());
