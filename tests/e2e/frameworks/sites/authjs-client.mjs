// What a browser does on the pages of Auth.js and NextAuth: it fetches the token of their form and sends the form.

/** A client of the pages below `url`; its answers are what they set of the session's cookie. */
export function clientOf(url, session) {
  async function sent(page, fields, cookies = "") {
    const form = await fetch(`${url}/csrf`);
    const { csrfToken } = await form.json();
    const own = form.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
    const reply = await fetch(`${url}/${page}`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: [...own, cookies].join("; ") },
      body: new URLSearchParams({ ...fields, csrfToken }),
    });
    return reply.headers.getSetCookie().filter((cookie) => cookie.startsWith(`${session}=`));
  }
  return {
    login: (user) => sent("callback/credentials", { user }),
    logout: (cookies) => sent("signout", {}, cookies),
  };
}
