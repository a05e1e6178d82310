// Django's own tests of what it keeps in cookies, from its source distribution on PyPI.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure, step } from "../../../src/build/progress.mjs";
import { inRoot, venv } from "../../../src/build/tools.mjs";
import { between } from "../between.mjs";

const VERSION = "5.2.19";
const SHA256 = "ad03d8abc51dbff95ebf34b27123cf0c26a3b62db7ba0cd520783686362533d1";
const APPS = [
  ...["auth_tests", "csrf_tests", "messages_tests", "requests_tests", "responses"],
  ...["sessions_tests", "signed_cookies_tests", "signing", "test_client", "test_client_regress"],
];
const REQUIREMENTS = inRoot("tests/peers/requirements.txt");

const SECRETS = {
  NEW_KEY: "new-key-of-the-ring-4f1d0a9be5c2773e81",
  ORIGIN_KEY: "django_tests_secret_key",
};
const MESSAGES = { name: "messages", format: "django-messages", attributes: "Path=/" };
// the name that the tests of signed cookies use
const SIGNED = { name: "c", format: "django-signed-cookie", attributes: "Path=/" };
const SESSION = { name: "sessionid", attributes: "Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600" };
const SESSIONS = {
  peers_settings: { ...SESSION, format: "django-session", max_age: 1209600 },
  peers_settings_wrapped: { ...SESSION, format: "sealed", origin: { format: "plain" }, max_age: 1209600 },
};

/** The suite under these settings (python/): resolves with the outcomes without and through the Worker. */
export const django = (settings) => async (folder) => {
  const python = await venv("peers", REQUIREMENTS);
  const tests = await unpacked(python, path.dirname(folder)); // the settings are several, the source is one
  const cookies = [SESSIONS[settings], MESSAGES, SIGNED];
  const config = { mode: "enforce", reports: "none", keys: { current: "NEW_KEY", origin: "ORIGIN_KEY" }, cookies };
  const suite = (way, env) => outcomes(`Django's tests ${way}`, python, tests, `${folder}/${way}.json`, {
    ...{ PYTHONPATH: inRoot("tests/peers/python"), PEERS_MANAGED: JSON.stringify(cookies.map(({ name }) => name)) },
    ...{ PYTHONDONTWRITEBYTECODE: "1", DJANGO_SETTINGS_MODULE: settings, ...env },
  });
  return [await suite("without", {}), await between(config, SECRETS, (ports) => suite("through", ports))];
};

async function unpacked(python, folder) {
  const tests = `${folder}/django-${VERSION}/tests`;
  if (existsSync(tests)) return tests;
  const pinned = `${folder}/source.txt`;
  writeFileSync(pinned, `Django==${VERSION} --hash=sha256:${SHA256}\n`);
  const pip = ["-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", pinned, "-d", folder];
  await step(`source of Django ${VERSION}`, python, pip);
  await step("unpack it", "tar", ["-xzf", `${folder}/django-${VERSION}.tar.gz`, "-C", folder]);
  return tests;
}

// A suite in which tests fail ends with 1 like one that does not run: so what counts is whether it wrote outcomes.
async function outcomes(label, python, tests, file, env) {
  rmSync(file, { force: true });
  const command = [`${tests}/runtests.py`, "--parallel=1", "--verbosity=0", "--noinput", ...APPS];
  await step(label, "sh", ["-c", '"$@" || test -s "$PEERS_OUTCOMES"', "sh", python, ...command], { cwd: tests, env: { ...env, PEERS_OUTCOMES: file } });
  if (!existsSync(file)) throw new Failure(`${label}: no outcomes`);
  return JSON.parse(readFileSync(file, "utf8"));
}
