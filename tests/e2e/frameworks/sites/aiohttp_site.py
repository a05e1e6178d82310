"""aiohttp with aiohttp_session in an encrypted cookie."""

import os

from aiohttp import web
from aiohttp_session import get_session, new_session, setup
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from serve import listening


async def home(request):
    return web.Response(text=(await get_session(request)).get("user", "nobody"))


async def login(request):
    (await new_session(request))["user"] = request.query["user"]
    return web.Response(text="welcome")


async def logout(request):
    (await get_session(request)).invalidate()
    return web.Response(text="gone")


site = web.Application()
LIFETIME = int(os.environ.get("LIFETIME", 0)) or None
setup(site, EncryptedCookieStorage(os.environ["ORIGIN_KEY"], secure=True, max_age=LIFETIME))
site.add_routes([web.get("/", home), web.get("/login", login), web.get("/logout", logout)])
web.run_app(site, sock=listening("aiohttp-session"), print=None)
