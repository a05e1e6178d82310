"""Tornado with a signed cookie."""

import asyncio
import os

from serve import listening
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler


class Home(RequestHandler):
    def get(self):
        self.write(self.get_signed_cookie("user") or b"nobody")


class Login(RequestHandler):
    def get(self):
        self.set_signed_cookie("user", self.get_argument("user"))
        self.redirect("/")


class Logout(RequestHandler):
    def get(self):
        self.clear_cookie("user")
        self.redirect("/")


async def serve():
    routes = [("/", Home), ("/login", Login), ("/logout", Logout)]
    site = Application(routes, cookie_secret=os.environ["ORIGIN_KEY"], log_function=lambda handler: None)
    sock = listening("tornado")
    sock.setblocking(False)
    HTTPServer(site).add_socket(sock)
    await asyncio.Event().wait()


asyncio.run(serve())
