// The suites by name: what each is, and how it runs in both ways.
import { cookieSession } from "./suites/cookie-session.mjs";
import { django } from "./suites/django.mjs";
import { expressSession } from "./suites/express-session.mjs";
import { flask } from "./suites/flask.mjs";
import { setCookie } from "./suites/set-cookie.mjs";

export const SUITES = {
  django: { title: "Django 5.2.19, sessions in signed cookies", run: django("peers_settings") },
  "django-wrapped": {
    title: "Django 5.2.19, session ids in the database, wrapped",
    run: django("peers_settings_wrapped"),
  },
  flask: { title: "Flask 3.1.3", run: flask },
  "express-session": { title: "express-session 1.19.0, by the tests of 1.0.0", run: expressSession },
  "cookie-session": { title: "cookie-session 2.1.1, by tests of ours from its README", run: cookieSession },
  "set-cookie": { title: "http-state's cookies and dates, in tough-cookie 6.1.0", run: setCookie },
};
