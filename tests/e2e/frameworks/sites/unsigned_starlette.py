"""Starlette with a cookie that nobody signs, in the quotes of Python's http.cookies."""

from serve import asgi
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route


async def home(request):
    return JSONResponse(request.cookies.get("user"))


async def login(request):
    response = RedirectResponse("/", 302)
    response.set_cookie("user", request.query_params["user"], httponly=True)
    return response


async def logout(request):
    response = RedirectResponse("/", 302)
    response.delete_cookie("user", httponly=True)
    return response


asgi("starlette", Starlette(routes=[Route("/", home), Route("/login", login), Route("/logout", logout)]))
