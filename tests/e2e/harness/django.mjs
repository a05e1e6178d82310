// A real Django site (origins/site.py) as the origin.
import { sensitive } from "./leaks.mjs";
import { python, served, temporaryFolder } from "./processes.mjs";

/** Starts the site under `key`; `server` is wsgi or asgi, `settings` are further Django settings, paths begin with `prefix`. */
export async function django(t, { key, server = "wsgi", venv = "venv-e2e", settings = {}, prefix = "" }) {
  sensitive(key);
  const child = python(venv, "site.py", {
    ORIGIN_KEY: key,
    ORIGIN_SERVER: server,
    ORIGIN_FOLDER: temporaryFolder(),
    ORIGIN_SETTINGS: JSON.stringify(settings),
    ORIGIN_PREFIX: prefix,
  });
  return served(t, child);
}
