"""FastAPI with a token of PyJWT behind "Bearer " in a cookie, as guides have it."""

import os

import jwt
from fastapi import Cookie, FastAPI
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.security.utils import get_authorization_scheme_param
from serve import asgi

KEY = os.environ["ORIGIN_KEY"]
LIFETIME = int(os.environ.get("LIFETIME", 0)) or None

site = FastAPI()


@site.get("/")
def home(access_token: str = Cookie("")):
    scheme, token = get_authorization_scheme_param(access_token)
    try:
        user = jwt.decode(token, KEY, algorithms=["HS256"])["sub"] if scheme == "Bearer" else "nobody"
    except jwt.InvalidTokenError:
        user = "nobody"
    return PlainTextResponse(user)


@site.get("/login")
def login(user: str):
    response = RedirectResponse("/", 302)
    token = jwt.encode({"sub": user}, KEY, "HS256")
    response.set_cookie("access_token", f"Bearer {token}", max_age=LIFETIME, httponly=True, secure=True)
    return response


@site.get("/logout")
def logout():
    response = RedirectResponse("/", 302)
    response.delete_cookie("access_token")
    return response


asgi("fastapi", site)
