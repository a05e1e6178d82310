"""A real Django site: login, cookie sessions, cookie messages, signed cookies. Prints its version and address, then serves.

Environment: ORIGIN_KEY, ORIGIN_FOLDER (for its users), ORIGIN_SETTINGS (JSON, more settings), ORIGIN_SERVER (wsgi, asgi),
ORIGIN_PREFIX (what all its paths begin with, such as `shop/`).
"""

import asyncio
import json
import os
import socket
import time

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["ORIGIN_KEY"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(os.environ["ORIGIN_FOLDER"], "users.sqlite3"),
        }
    },
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    **json.loads(os.environ.get("ORIGIN_SETTINGS", "{}")),
)
django.setup()

from django.contrib import auth, messages  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


def home(request):
    return JsonResponse(
        {
            "user": request.user.get_username(),
            "session": {k: v for k, v in request.session.items() if not k.startswith("_")},
            "cookies": request.COOKIES,
            "header": request.META.get("HTTP_COOKIE"),
            "host": request.get_host(),
        }
    )


def login(request):
    user = auth.authenticate(request, username="ada", password="engine")
    auth.login(request, user)
    request.session["basket"] = request.GET.getlist("item")
    return HttpResponseRedirect("/")


def logout(request):
    auth.logout(request)
    return HttpResponse("gone")


def add(request):
    request.session["basket"] = request.session.get("basket", []) + request.GET.getlist("item")
    return HttpResponse("added")


def touch(request):
    request.session["touched"] = request.GET.get("with", "yes")
    return HttpResponse("touched")


def slow(request):
    seconds = float(request.GET["seconds"])
    user = request.user.get_username()
    time.sleep(seconds)
    return HttpResponse(f"slow page of {user or 'nobody'}")


def say(request):
    for text in request.GET.getlist("text"):
        messages.success(request, text)
    return HttpResponse("said")


def shown(request):
    return JsonResponse({"messages": [str(m) for m in messages.get_messages(request)]})


def sign(request):
    response = HttpResponse("signed")
    response.set_signed_cookie("basket", request.GET["value"], salt=request.GET.get("salt", ""), path="/shop")
    return response


def signed(request):
    value = request.get_signed_cookie("basket", default=None, salt=request.GET.get("salt", ""), max_age=1209600)
    return JsonResponse({"basket": value})


PREFIX = os.environ.get("ORIGIN_PREFIX", "")
VIEWS = (login, logout, add, touch, slow, say, shown, sign, signed)
urlpatterns = [path(PREFIX + view.__name__, view) for view in VIEWS]
urlpatterns.append(path(PREFIX, home))


def make_users():
    call_command("migrate", "auth", verbosity=0)
    auth.get_user_model().objects.create_user("ada", password="engine")


def serve_wsgi():
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    announce(server.server_address[1])
    server.serve_forever(poll_interval=0.05)


def serve_asgi():
    import uvicorn
    from django.core.asgi import get_asgi_application

    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(get_asgi_application(), lifespan="off", log_level="warning")
    announce(sock.getsockname()[1])
    asyncio.run(uvicorn.Server(config).serve(sockets=[sock]))


def announce(port):
    print(f"Django {django.get_version()} http://127.0.0.1:{port}", flush=True)


if __name__ == "__main__":
    make_users()
    {"wsgi": serve_wsgi, "asgi": serve_asgi}[os.environ["ORIGIN_SERVER"]]()
