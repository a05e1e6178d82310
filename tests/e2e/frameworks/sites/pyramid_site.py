"""Pyramid with a session of SignedCookieSessionFactory."""

import os

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from serve import wsgi

LIFETIME = int(os.environ.get("LIFETIME", 0)) or None


def home(request):
    return Response(request.session.get("user", "nobody"))


def login(request):
    request.session["user"] = request.params["user"]
    return HTTPFound("/")


def logout(request):
    request.session.invalidate()
    return HTTPFound("/")


sessions = SignedCookieSessionFactory(os.environ["ORIGIN_KEY"], secure=True, httponly=True, max_age=LIFETIME)
with Configurator(session_factory=sessions) as site:
    for path, view in {"/": home, "/login": login, "/logout": logout}.items():
        site.add_route(path, path)
        site.add_view(view, route_name=path)
wsgi("pyramid", site.make_wsgi_app())
