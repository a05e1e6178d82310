"""A small Django site with three signed cookies (a login, a message, a theme) and an unsigned one (a nickname), which
the Worker wraps in `sealed`. `npm start` runs it.

It knows nothing of Countersign, except that /keys tells which key signed the cookies that arrived: asked through the
Worker these are the site's copies, asked at the site's own port (cookies ignore ports) they are the browser's.
Environment: DJANGO_SECRET_KEY, DEMO_FOLDER, DEMO_WORKER_PORT, DEMO_CONTROL (JSON, for the page's buttons). Each line of
standard input is JSON, the keys by key id. Prints its port as JSON. `site.py forge` prints a forged login and ends.
"""

import base64
import hmac
import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

import django
from django.conf import settings

FOLDER = Path(os.environ["DEMO_FOLDER"])
KEYS = {}
WORKER = [f"http://{host}:{os.environ.get('DEMO_WORKER_PORT')}" for host in ("127.0.0.1", "localhost")]
CONTROL = json.loads(os.environ.get("DEMO_CONTROL", "null"))
USER = PASSWORD = "demo"
THEMES = ["light", "dark", "sepia"]
NICKNAMES = ["Ada L", "Zoë", "Grace, \"Amazing\" H"]
YEAR = 365 * 24 * 3600
LOGGED_IN_AT = "logged_in_at"  # in the session, Unix seconds
COOKIES = {
    "sessionid": "the login",
    "messages": "messages not yet read",
    "theme": "a signed cookie",
    "nickname": "an unsigned cookie, wrapped",
}

settings.configure(
    SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    # `wrangler dev --local-upstream` gives Host, Origin and Referer the upstream's name, the last two without its port.
    CSRF_TRUSTED_ORIGINS=["http://127.0.0.1", "http://localhost", *WORKER],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=[f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions", "messages")],
    MIDDLEWARE=[
        f"{__name__}.alone_in_its_window",
        f"{__name__}.which_keys",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [Path(__file__).parent]}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "users.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
)
django.setup()

from django.contrib import auth, messages  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.forms import AuthenticationForm  # noqa: E402
from django.contrib.messages.storage.cookie import CookieStorage  # noqa: E402
from django.contrib.sessions.backends.signed_cookies import SessionStore  # noqa: E402
from django.core import signing  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import run  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.shortcuts import redirect, render  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402


def front(request, **more):
    site = keys_of(request.COOKIES)
    context = {
        "user": request.user,
        "logged_in_at": request.session.get(LOGGED_IN_AT),
        "logged_in_time": time.strftime("%H:%M:%S", time.localtime(request.session.get(LOGGED_IN_AT))),
        "theme": theme_of(request, default=""),
        "nickname": request.COOKIES.get("nickname"),
        "cookies": [(name, kind, site.get(name)) for name, kind in COOKIES.items()],
        "port": request.META["SERVER_PORT"],
        "control": CONTROL,
        "user_name": USER,
        **more,
    }
    return render(request, "page.html", context)


def theme_of(request, default):
    theme = request.get_signed_cookie("theme", default=default, salt="theme", max_age=YEAR)
    return theme if theme in THEMES else default


def who(request):
    return JsonResponse({"user": request.user.get_username() or None}, headers={"Cache-Control": "no-store"})


@require_POST
def log_in(request):
    form = AuthenticationForm(request, request.POST)
    if not form.is_valid():
        return front(request, error="This name and password do not match.")
    auth.login(request, form.get_user())
    request.session[LOGGED_IN_AT] = int(time.time())
    return redirect("/")


@require_POST
def log_out(request):
    auth.logout(request)
    return redirect("/")


@require_POST
def add_message(request):
    messages.info(request, f"A message from {time.strftime('%H:%M:%S')}")
    return redirect("/")


def read_messages(request):
    return front(request, messages=[str(message) for message in messages.get_messages(request)], read=True)


@require_POST
def next_theme(request):
    # Without the cookie the page follows the browser's preference, which only the page knows.
    shown = request.POST.get("shown")
    now = theme_of(request, default=shown if shown in THEMES else THEMES[0])
    response = redirect("/")
    following = THEMES[(THEMES.index(now) + 1) % len(THEMES)]
    response.set_signed_cookie("theme", following, salt="theme", max_age=YEAR, samesite="Lax")
    return response


@require_POST
def next_nickname(request):
    response = redirect("/")
    now = request.COOKIES.get("nickname")
    following = NICKNAMES[(NICKNAMES.index(now) + 1) % len(NICKNAMES)] if now in NICKNAMES else NICKNAMES[0]
    response.set_cookie("nickname", following, max_age=YEAR, samesite="Lax")
    return response


urlpatterns = [
    path("", front),
    path("who", who),
    path("log-in", log_in),
    path("log-out", log_out),
    path("add-message", add_message),
    path("messages", read_messages),
    path("next-theme", next_theme),
    path("next-nickname", next_nickname),
]


def alone_in_its_window(get_response):
    """No other page may put this one, whose buttons do something, in a frame; and nothing comes from elsewhere."""

    def middleware(request):
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return middleware


POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "img-src data:",
        "connect-src 'self' http://127.0.0.1:* http://localhost:*",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)


def which_keys(get_response):
    """Answers /keys ahead of the sessions, which would overwrite a cookie that the site's own key did not sign."""

    def middleware(request):
        if request.path != "/keys":
            return get_response(request)
        response = JsonResponse(keys_of(request.COOKIES), headers={"Cache-Control": "no-store", "Vary": "Origin"})
        if request.headers.get("Origin") in WORKER:
            response["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response["Access-Control-Allow-Credentials"] = "true"
        return response

    return middleware


def keys_of(cookies):
    return {name: signed_by(name, cookies[name]) for name in COOKIES if name in cookies}


def signed_by(name, value):
    """Which of KEYS signed a cookie, and how many seconds ago: Django's own signers decide."""
    if name == "nickname" and not value.startswith("v1."):
        return {"unsigned": True}
    for key_id, key in list(KEYS.items()):
        try:
            signed_at = sealed_at(name, value, key) if name == "nickname" else django_signed_at(name, value, key)
        except (signing.BadSignature, ValueError):
            continue
        return {"key": key_id, "age": max(0, int(time.time()) - signed_at)}
    return {"key": None}


def django_signed_at(name, value, key):
    signer(name, key).unsign(value)
    return signing.b62_decode(value.rsplit(":", 2)[1])


def sealed_at(name, value, key):
    """The Worker's format `sealed`, as src/formats/sealed.rs describes it."""
    _, payload, signed_at, signature = value.split(".")
    payload, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (payload, signature))
    derived = hmac.digest(key.encode(), b"countersign sealed v1", "sha256")
    expected = hmac.digest(derived, b"\0".join((name.encode(), signed_at.encode(), payload)), "sha256")
    if not hmac.compare_digest(expected, signature):
        raise ValueError("another key made the signature")
    return int(signed_at)


def signer(name, key):
    cookie_key = signing._cookie_signer_key(key)
    key, salt = {
        "sessionid": (key, "django.contrib.sessions.backends.signed_cookies"),
        "messages": (cookie_key, CookieStorage.key_salt),
        "theme": (cookie_key, signing._cookie_signer_salt("theme", "theme")),
    }[name]
    return signing.TimestampSigner(key=key, fallback_keys=[], salt=salt)


def make_user():
    FOLDER.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    users = auth.get_user_model().objects
    if not users.filter(username=USER).exists():
        users.create_user(USER, password=PASSWORD)


def forged_login():
    """What whoever has the site's key can make, here with what Django's login wants to find in it."""
    user = auth.get_user_model().objects.get(username=USER)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[LOGGED_IN_AT] = int(time.time())
    session.save()
    return session.session_key


def follow_parent():
    for line in sys.stdin:
        KEYS.update(json.loads(line))
    os._exit(0)


def announce(port):
    print(json.dumps({"port": port}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["forge"]:
        print(forged_login())
    else:
        make_user()
        threading.Thread(target=follow_parent, daemon=True).start()
        site = get_wsgi_application()  # which sets the levels of logs
        # wrangler logs each request already.
        logging.getLogger("django.server").setLevel("WARNING")
        run("127.0.0.1", 0, site, threading=True, on_bind=announce)
