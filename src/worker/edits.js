// The edits that Rust asks for in most requests, each in one crossing.

/** The request with another Cookie header, or with none: a copy, unless it is one by now. */
export function withCookie(request, isCopy, cookie) {
  const forward = isCopy ? request : new Request(request);
  if (cookie === undefined) forward.headers.delete("cookie");
  else forward.headers.set("cookie", cookie);
  return forward;
}

/** The names of all headers in lower case, a line each. */
export function names(headers) {
  let lines = "";
  for (const name of headers.keys()) lines += `${name}\n`;
  return lines;
}

/**
 * A copy of the response that sets these cookies, a line each: beside its own, whose bytes survive that way where
 * they are not UTF-8, or in their place. The old response as `init` keeps `webSocket` and `statusText`.
 */
export function withSetCookies(response, lines, isBeside) {
  const copy = new Response(response.body, response);
  let put = isBeside ? "append" : "set"; // which takes the others away
  let from = 0;
  for (let end = lines.indexOf("\n"); end >= 0; end = lines.indexOf("\n", from)) {
    copy.headers[put]("set-cookie", lines.slice(from, end));
    from = end + 1;
    put = "append";
  }
  if (put === "set") copy.headers.delete("set-cookie");
  return copy;
}
