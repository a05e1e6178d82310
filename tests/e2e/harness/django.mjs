// A real Django site (origins/site.py, or one with the admin, origins/admin.py) as the origin.
import { sensitive } from "./leaks.mjs";
import { python, served, temporaryFolder } from "./processes.mjs";

/**
 * Starts the site under `key`; `server` is wsgi or asgi, `settings` are further Django settings, paths begin with `prefix`;
 * `script` is another site of origins/.
 */
export async function django(t, { key, server = "wsgi", venv = "venv-e2e", settings = {}, prefix = "", script = "site.py" }) {
  sensitive(key);
  const child = python(venv, script, {
    ORIGIN_KEY: key,
    ORIGIN_SERVER: server,
    ORIGIN_FOLDER: temporaryFolder(),
    ORIGIN_SETTINGS: JSON.stringify(settings),
    ORIGIN_PREFIX: prefix,
  });
  return served(t, child);
}
