"""Tornado with a signed cookie. An argument numbers the keys by their ids: then cookie_secret is a dict."""

import asyncio
import json
import os
import sys

from serve import listening
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler


class Home(RequestHandler):
    def get(self):
        self.write(self.get_signed_cookie("user") or b"nobody")


class Login(RequestHandler):
    def get(self):
        self.set_signed_cookie("user", self.get_argument("user"), secure=True, httponly=True)
        self.redirect("/")


class Logout(RequestHandler):
    def get(self):
        self.clear_cookie("user")
        self.redirect("/")


def secret():
    key = os.environ["ORIGIN_KEY"]
    if len(sys.argv) == 1:
        return {"cookie_secret": key}
    number = json.loads(sys.argv[1])[os.environ["ORIGIN_KEY_ID"]]
    return {"cookie_secret": {number: key}, "key_version": number}


async def serve():
    routes = [("/", Home), ("/login", Login), ("/logout", Logout)]
    site = Application(routes, **secret(), log_function=lambda handler: None)
    sock = listening("tornado")
    sock.setblocking(False)
    HTTPServer(site).add_socket(sock)
    await asyncio.Event().wait()


asyncio.run(serve())
