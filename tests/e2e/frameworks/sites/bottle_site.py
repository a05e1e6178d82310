"""Bottle with a signed cookie."""

import os

from bottle import Bottle, redirect, request, response
from serve import wsgi

KEY = os.environ["ORIGIN_KEY"]
SET = {"path": "/", "secure": True, "httponly": True}
if "LIFETIME" in os.environ:
    SET["max_age"] = int(os.environ["LIFETIME"])
site = Bottle()


@site.get("/")
def home():
    return request.get_cookie("user", secret=KEY) or "nobody"


@site.get("/login")
def login():
    response.set_cookie("user", request.query.user, secret=KEY, **SET)
    redirect("/")


@site.get("/logout")
def logout():
    response.delete_cookie("user", path="/")
    redirect("/")


wsgi("bottle", site)
