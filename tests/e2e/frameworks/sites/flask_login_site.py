"""Flask-Login with its remember token, and no session beside it, so that the token alone says who it is."""

import os
from datetime import timedelta

from flask import Flask, redirect, request
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from serve import wsgi


class Forgotten(SecureCookieSessionInterface):
    def save_session(self, app, session, response):
        pass


class User(UserMixin):
    def __init__(self, name):
        self.id = name


site = Flask(__name__)
site.secret_key = os.environ["ORIGIN_KEY"]
site.session_interface = Forgotten()
site.config["REMEMBER_COOKIE_SECURE"] = True
if "LIFETIME" in os.environ:
    site.config["REMEMBER_COOKIE_DURATION"] = timedelta(seconds=int(os.environ["LIFETIME"]))
LoginManager(site).user_loader(User)


@site.get("/")
def home():
    return current_user.get_id() if current_user.is_authenticated else "nobody"


@site.get("/login")
def login():
    login_user(User(request.args["user"]), remember=True)
    return redirect("/")


@site.get("/logout")
def logout():
    logout_user()
    return redirect("/")


wsgi("Flask-Login", site)
