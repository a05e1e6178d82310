// Stands in for Cloudflare's edge: hands each request to a version of the Worker by its share, or to the site.
import { forwarded } from "./tapped.mjs";
import { rawOrigin } from "./raw-origin.mjs";
import { WORKER } from "./cloudflare.mjs";

/** The front of a site; `account` says what is deployed, `random` gives numbers from 0 to 1. */
export async function edge(t, { account, site, random }) {
  const front = await rawOrigin(t, (request) => forwarded(chosen(request), request));

  function chosen(request) {
    if (account.routes.length === 0) return site;
    const { shares } = account;
    const wanted = request.header("cloudflare-workers-version-overrides");
    const [, named] = /^(?:.*, )?([^=]+="[^"]+")$/.exec(wanted ?? "") ?? [];
    const overriding = Object.keys(shares).find((id) => named === `${WORKER}="${id}"`);
    return account.version(overriding ?? byShare(shares));
  }
  function byShare(shares) {
    let left = random() * 100;
    return Object.keys(shares).find((id) => (left -= shares[id]) < 0);
  }
  return { port: front.port, url: `http://127.0.0.1:${front.port}` };
}
