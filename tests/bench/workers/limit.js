// The limit: the same header edits as Countersign's, and no cryptography. What becomes of each value is told in
// EDITS, by the last letters of the value, which its signature makes unlike any other's.
export default {
  async fetch(request, env) {
    const { name, forward, back, upgrade } = env.EDITS;
    const header = request.headers.get("cookie");
    let forwarded = request;
    let due;
    if (header?.includes(name)) {
      let changed = false;
      const pairs = [];
      for (const pair of header.split("; ")) {
        const value = valueOf(pair, name);
        const edit = value === undefined ? undefined : forward[value.slice(-12)];
        if (edit === undefined) {
          pairs.push(pair);
          continue;
        }
        changed = true;
        due = upgrade[value.slice(-12)];
        if (edit !== null) pairs.push(`${name}=${edit}`);
      }
      if (changed) {
        forwarded = new Request(request);
        if (pairs.length) forwarded.headers.set("cookie", pairs.join("; "));
        else forwarded.headers.delete("cookie");
      }
    }
    const response = await fetch(forwarded);
    if (!due && !response.headers.has("set-cookie")) return response;
    const cookies = response.headers.getSetCookie();
    const edited = cookies.map((cookie) => {
      const end = cookie.indexOf(";");
      const value = valueOf(cookie.slice(0, end), name);
      const edit = value === undefined ? undefined : back[value.slice(-12)];
      return edit === undefined ? cookie : `${name}=${edit}${cookie.slice(end)}`;
    });
    const copy = new Response(response.body, response);
    if (due) {
      copy.headers.append("set-cookie", due);
      copy.headers.append("cache-control", "private");
    } else {
      const [first, ...others] = edited;
      copy.headers.set("set-cookie", first); // which takes the others away
      for (const cookie of others) copy.headers.append("set-cookie", cookie);
    }
    return copy;
  },
};

function valueOf(pair, name) {
  return pair.startsWith(name) && pair[name.length] === "=" ? pair.slice(name.length + 1) : undefined;
}
