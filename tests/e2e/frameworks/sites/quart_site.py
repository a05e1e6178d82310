"""Quart with its session, which is Flask's."""

import os

from quart import Quart, redirect, request, session
from serve import asgi

site = Quart(__name__)
site.secret_key = os.environ["ORIGIN_KEY"]
site.config["SESSION_COOKIE_SECURE"] = True


@site.get("/")
async def home():
    return session.get("user", "nobody")


@site.get("/login")
async def login():
    session.permanent = "LIFETIME" in os.environ
    session["user"] = request.args["user"]
    return redirect("/")


@site.get("/logout")
async def logout():
    session.clear()
    return redirect("/")


asgi("Quart", site)
