"""Django with its session in a signed cookie, or with a signed cookie of the site's: the argument says which."""

import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from serve import wsgi

PLACE = sys.argv[1]
SET = {"salt": "user", "secure": True, "httponly": True}
if "LIFETIME" in os.environ:
    SET["max_age"] = int(os.environ["LIFETIME"])


def home(request):
    if PLACE == "session":
        return HttpResponse(request.session.get("user", "nobody"))
    return HttpResponse(request.get_signed_cookie("user", "nobody", salt="user"))


def login(request):
    response = HttpResponseRedirect("/")
    if PLACE == "session":
        request.session["user"] = request.GET["user"]
    else:
        response.set_signed_cookie("user", request.GET["user"], **SET)
    return response


def logout(request):
    response = HttpResponseRedirect("/")
    if PLACE == "session":
        request.session.flush()
    else:
        response.delete_cookie("user")
    return response


urlpatterns = [path("", home), path("login", login), path("logout", logout)]
settings.configure(
    SECRET_KEY=os.environ["ORIGIN_KEY"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    SESSION_COOKIE_SECURE=True,
)
wsgi("Django", get_wsgi_application())
