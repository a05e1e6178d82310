// Flask's own tests, from its source distribution on PyPI.
import { between } from "../between.mjs";
import { outcomes, pythonOfPeers, source } from "../python-suite.mjs";

const SOURCE = {
  ...{ name: "Flask", version: "3.1.3", unpacked: "flask-3.1.3" },
  sha256: "0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb",
};
const SECRETS = { NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81", ORIGIN_KEY: "test key" };
const CONFIG = {
  mode: "enforce",
  reports: "none",
  keys: { current: "NEW_KEY", origin: "ORIGIN_KEY" },
  cookies: [{ name: "session", format: "flask-session", max_age: 2678400, attributes: "HttpOnly; Path=/" }],
};

/** Resolves with the outcomes without and through the Worker. */
export async function flask(folder) {
  const python = await pythonOfPeers();
  const cwd = await source(python, SOURCE);
  const args = ["-m", "pytest", "-p", "peers_flask", "-p", "no:cacheprovider", "-q", "tests"];
  const suite = (way, env) => outcomes(`Flask's tests ${way}`, python, args, `${folder}/${way}.json`, { cwd, env });
  return [await suite("without", {}), await between(CONFIG, SECRETS, (ports) => suite("through", ports))];
}
