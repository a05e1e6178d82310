// better-auth with accounts by email and password, in the memory of this process. A login asks better-auth's own routes.
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { KEY, redirect, serveFetch } from "./serve.mjs";

const SITE = "https://site.test";

const auth = betterAuth({
  secret: KEY,
  baseURL: SITE,
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
});

serveFetch("better-auth", async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/login") return redirect(await login(searchParams.get("user")));
  if (pathname === "/logout") return redirect((await asked("sign-out", {}, request)).headers.getSetCookie());
  const session = await auth.api.getSession({ headers: request.headers });
  return new Response(session?.user.name ?? "nobody");
});

async function login(name) {
  const account = { name, email: `${Buffer.from(name).toString("hex")}@site.test`, password: "correct horse battery" };
  await asked("sign-up/email", account);
  const response = await asked("sign-in/email", account);
  if (!response.ok) throw new Error(await response.text());
  return response.headers.getSetCookie();
}

function asked(route, body, visitor) {
  const headers = { "content-type": "application/json", origin: SITE, cookie: visitor?.headers.get("cookie") ?? "" };
  return auth.handler(new Request(`${SITE}/api/auth/${route}`, { method: "POST", headers, body: JSON.stringify(body) }));
}
