"""Flask-Session with sessions in the memory of this process, their ids signed."""

import os

from cachelib import SimpleCache
from flask import Flask, redirect, request, session
from flask_session import Session
from serve import wsgi

site = Flask(__name__)
site.secret_key = os.environ["ORIGIN_KEY"]
site.config.update(
    SESSION_TYPE="cachelib",
    SESSION_CACHELIB=SimpleCache(),
    SESSION_USE_SIGNER=True,
    SESSION_COOKIE_SECURE=True,
)
Session(site)


@site.get("/")
def home():
    return session.get("user", "nobody")


@site.get("/login")
def login():
    session["user"] = request.args["user"]
    return redirect("/")


@site.get("/logout")
def logout():
    session.clear()
    return redirect("/")


wsgi("Flask-Session", site)
