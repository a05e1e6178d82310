// What differs through the Worker, by suite and test, each with the reason why it must.

const OTHER_SESSIONS =
  "The test changes SESSION_ENGINE to one whose cookie is an unsigned id. The rule is for signed cookies, so the " +
  "Worker strips it.";
const OTHER_KEY =
  "The test has a SECRET_KEY of its own. The Worker has the suite's, and does not seal what another key signed.";
const HOST =
  "The test sends an address as Host. workerd makes another path of it, and so does a Worker that does nothing.";
const DOLLAR = "A name that starts with `$` is dropped, since some servers read it as an attribute of a cookie (R7).";
const OPEN_QUOTE =
  "A double quote that is left open before a managed cookie is dropped, since some servers read the managed cookie " +
  "as part of it (R7).";
const EMPTY = "An empty Set-Cookie header does not come through workerd, also not through a Worker that does nothing.";
const CONTROL =
  "NUL and CR may not stand in a header: workerd refuses the site's answer, also for a Worker that does nothing.";

const DJANGO_SESSIONS = {
  "test_client.tests.ClientTest.test_sessions_app_is_not_installed": OTHER_SESSIONS,
  "test_client.tests.ClientTest.test_view_with_login_when_sessions_app_is_not_installed": OTHER_SESSIONS,
  "test_client_regress.tests.SessionEngineTests.test_login": OTHER_SESSIONS,
};
const DJANGO_KEY = {
  "signed_cookies_tests.tests.SignedCookieTest.test_signed_cookies_with_binary_key": OTHER_KEY,
};

export const DIFFERENCES = {
  django: { ...DJANGO_SESSIONS, ...DJANGO_KEY },
  "django-wrapped": DJANGO_KEY,
  flask: {
    "tests/test_basic.py::test_session_secret_key_fallbacks": OTHER_KEY,
    "tests/test_reqctx.py::test_session_dynamic_cookie_name": OTHER_KEY,
  },
  "express-session": {
    "session() req.session .cookie when the pathname does match cookie.path should set-cookie even for FQDN": HOST,
  },
  "set-cookie": {
    ...listed(["CHROMIUM0018", "CHROMIUM0021"], ["alone", "beside"], EMPTY),
    ...listed(["DISABLED_CHROMIUM0022", "DISABLED_CHROMIUM0023"], ["alone", "beside"], CONTROL),
    ...listed(["NAME0003", "NAME0007", "NAME0024"], ["alone", "beside"], DOLLAR),
    ...listed(["CHROMIUM0004", "CHROMIUM0005", "CHROMIUM0008", "CHROMIUM0011", "MOZILLA0012"], ["beside"], OPEN_QUOTE),
    ...listed(["NAME0019", "NAME0021", "VALUE0004"], ["beside"], OPEN_QUOTE),
  },
};

function listed(cases, ways, reason) {
  return Object.fromEntries(cases.flatMap((it) => ways.map((way) => [`parser ${it} ${way}`, reason])));
}
