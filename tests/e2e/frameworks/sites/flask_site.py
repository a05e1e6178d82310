"""Flask with its session."""

import os

from flask import Flask, redirect, request, session
from serve import wsgi

site = Flask(__name__)
site.secret_key = os.environ["ORIGIN_KEY"]
site.config["SESSION_COOKIE_SECURE"] = True
site.config.from_prefixed_env()  # FLASK_SESSION_COOKIE_NAME


@site.get("/")
def home():
    return session.get("user", "nobody")


@site.get("/login")
def login():
    session.permanent = "LIFETIME" in os.environ
    session["user"] = request.args["user"]
    return redirect("/")


@site.get("/logout")
def logout():
    session.clear()
    return redirect("/")


wsgi("Flask", site)
