// Express with Auth.js 5, whose session is an encrypted token. A login is what its own form sends.
import { ExpressAuth, getSession } from "@auth/express";
import Credentials from "@auth/core/providers/credentials";
import express from "express";
import { clientOf } from "./authjs-client.mjs";
import { announce, KEY, LIFETIME } from "./serve.mjs";

const CONFIG = {
  secret: KEY,
  trustHost: true,
  session: LIFETIME && { strategy: "jwt", maxAge: LIFETIME },
  providers: [Credentials({ credentials: { user: {} }, authorize: ({ user }) => ({ id: user, name: user }) })],
};

const site = express();
site.set("trust proxy", true);
site.use((request, response, next) => {
  request.headers["x-forwarded-proto"] = "https"; // as the edge in front of a site says
  next();
});
site.use("/auth", ExpressAuth(CONFIG));
site.get("/login", async (request, response) => {
  const set = await client().login(request.query.user);
  response.append("Set-Cookie", set).send("ok");
});
site.get("/logout", async (request, response) => {
  const set = await client().logout(request.headers.cookie);
  response.append("Set-Cookie", set).send("ok");
});
site.get("/", async (request, response) => {
  const session = await getSession(request, CONFIG);
  response.send(session?.user.name ?? "nobody");
});
const server = site.listen(0, "127.0.0.1", () => announce("@auth/core", server.address().port));

const client = () => clientOf(`http://127.0.0.1:${server.address().port}/auth`, "__Secure-authjs.session-token");
