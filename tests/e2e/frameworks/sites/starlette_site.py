"""Starlette with its SessionMiddleware, which is FastAPI's too."""

import os

from serve import asgi
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route


async def home(request):
    return PlainTextResponse(request.session.get("user", "nobody"))


async def login(request):
    request.session["user"] = request.query_params["user"]
    return RedirectResponse("/")


async def logout(request):
    request.session.clear()
    return RedirectResponse("/")


asgi(
    "starlette",
    Starlette(
        routes=[Route("/", home), Route("/login", login), Route("/logout", logout)],
        middleware=[Middleware(SessionMiddleware, secret_key=os.environ["ORIGIN_KEY"], https_only=True)],
    ),
)
