// Django's own tests of what it keeps in cookies, from its source distribution on PyPI.
import { between } from "../between.mjs";
import { outcomes, pythonOfPeers, source } from "../python-suite.mjs";

const SOURCE = {
  ...{ name: "Django", version: "5.2.19", unpacked: "django-5.2.19" },
  sha256: "ad03d8abc51dbff95ebf34b27123cf0c26a3b62db7ba0cd520783686362533d1",
};
const APPS = [
  ...["auth_tests", "csrf_tests", "messages_tests", "requests_tests", "responses"],
  ...["sessions_tests", "signed_cookies_tests", "signing", "test_client", "test_client_regress"],
];

const SECRETS = {
  NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81",
  ORIGIN_KEY: "django_tests_secret_key",
};
const MESSAGES = { name: "messages", format: "django-messages", attributes: "Path=/" };
// the name that the tests of signed cookies use
const SIGNED = { name: "c", format: "django-signed-cookie", attributes: "Path=/" };
const SESSION = { name: "sessionid", attributes: "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600", max_age: 1209600 };
const SESSIONS = {
  peers_settings: { ...SESSION, format: "django-session" },
  peers_settings_wrapped: { ...SESSION, format: "sealed", origin: { format: "plain" } },
};

/** The suite under these settings (python/): resolves with the outcomes without and through the Worker. */
export const django = (settings) => async (folder) => {
  const python = await pythonOfPeers();
  const cwd = `${await source(python, SOURCE)}/tests`;
  const cookies = [SESSIONS[settings], MESSAGES, SIGNED];
  const config = { mode: "enforce", reports: "none", keys: { current: "NEW_KEY", origin: "ORIGIN_KEY" }, cookies };
  const managed = { PEERS_MANAGED: JSON.stringify(cookies.map(({ name }) => name)), DJANGO_SETTINGS_MODULE: settings };
  const args = ["runtests.py", "--parallel=1", "--verbosity=0", "--noinput", ...APPS];
  const suite = (way, ports) =>
    outcomes(`Django's tests ${way}`, python, args, `${folder}/${way}.json`, { cwd, env: { ...managed, ...ports } });
  return [await suite("without", {}), await between(config, SECRETS, (ports) => suite("through", ports))];
};
