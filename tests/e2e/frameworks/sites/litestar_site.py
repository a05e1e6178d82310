"""Litestar with its session in an encrypted cookie."""

import base64
import os

from litestar import Litestar, MediaType, Request, get
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.response import Redirect
from serve import asgi


@get("/", media_type=MediaType.TEXT, sync_to_thread=False)
def home(request: Request) -> str:
    return request.session.get("user", "nobody")


@get("/login", sync_to_thread=False)
def login(request: Request, user: str) -> Redirect:
    request.set_session({"user": user})
    return Redirect("/")


@get("/logout", sync_to_thread=False)
def logout(request: Request) -> Redirect:
    request.clear_session()
    return Redirect("/")


sessions = CookieBackendConfig(secret=base64.b64decode(os.environ["ORIGIN_KEY"]), secure=True)
asgi("litestar", Litestar([home, login, logout], middleware=[sessions.middleware], openapi_config=None))
