"""Managed cookies that Django's tests read and write past the client go through the Worker all the same."""

import json
import os
from contextlib import contextmanager
from functools import wraps
from http.cookies import SimpleCookie

from django.http import parse_cookie
from django.http.response import HttpResponseBase
from django.test.client import ClientMixin
from wire import WIRE, Message, is_the_site

MANAGED = json.loads(os.environ["PEERS_MANAGED"])
HOST = "testserver"


def put_between():
    """Has cookies that pass no client go through the Worker too."""
    ClientMixin.session = property(_as_the_site(ClientMixin.session.fget))
    for name in ("_login", "logout"):
        setattr(ClientMixin, name, _as_the_site(getattr(ClientMixin, name)))
    for name in ("asession", "_alogin", "alogout"):
        setattr(ClientMixin, name, _async_as_the_site(getattr(ClientMixin, name)))
    HttpResponseBase.set_cookie = _to_a_browser_and_back(HttpResponseBase.set_cookie)


# A client that looks into its own cookies.


def _as_the_site(look):
    @wraps(look)
    def wrapped(client, *args, **kwargs):
        with _cookies_of_the_site(client):
            return look(client, *args, **kwargs)

    return wrapped


def _async_as_the_site(look):
    @wraps(look)
    async def wrapped(client, *args, **kwargs):
        with _cookies_of_the_site(client):
            return await look(client, *args, **kwargs)

    return wrapped


_looking = set()


@contextmanager
def _cookies_of_the_site(client):
    if id(client) in _looking:
        yield
        return
    _looking.add(id(client))
    jar = client.cookies
    browser = {name: jar[name].value for name in MANAGED if name in jar}
    site = {name: _received(f"{name}={_coded(value)}").get(name) for name, value in browser.items()}
    for name, value in site.items():
        _put(jar, name, value)
    try:
        yield
    finally:
        _looking.discard(id(client))
        if client.cookies is jar:  # a logout begins a new one
            for name in MANAGED:
                _put(jar, name, _of_the_browser(jar.get(name), browser.get(name), site.get(name)))


def _of_the_browser(morsel, before, of_the_site):
    """What a browser has after the look: what it had, or what the site has set since."""
    value = morsel.value if morsel else None
    if value == of_the_site:
        return before
    return _sent(morsel) if value else value


def _put(jar, name, value):
    if value is None:
        jar.pop(name, None)
    elif name in jar:
        jar[name].set(name, *SimpleCookie().value_encode(value))
    else:
        jar[name] = value


def _coded(value):
    return SimpleCookie().value_encode(value)[1]


# A cookie without a client.


def _to_a_browser_and_back(set_cookie):
    @wraps(set_cookie)
    def wrapped(response, key, *args, **kwargs):
        set_cookie(response, key, *args, **kwargs)
        if key not in MANAGED or is_the_site() or not response.cookies[key].value:
            return
        morsel = response.cookies[key]
        browser = _sent(morsel)
        if browser is not None:
            morsel.set(key, *SimpleCookie().value_encode(_received(f"{key}={_coded(browser)}").get(key, "")))

    return wrapped


def _received(header):
    """The cookies that the site reads where a browser sends this Cookie header."""
    seen = []

    def site(message):
        seen.extend(message.values("cookie"))
        return Message(("204", "No Content"))

    WIRE.exchange(Message(("GET", "/"), [("Host", HOST), ("Cookie", header)]), site)
    return {name: value for line in seen for name, value in parse_cookie(line).items()}


def _sent(morsel):
    """The value that a browser has where the site sets this cookie."""
    answer = Message(("204", "No Content"), [("Set-Cookie", morsel.OutputString())])
    came = WIRE.exchange(Message(("GET", "/"), [("Host", HOST)]), lambda _: answer)
    cookies = SimpleCookie(came.values("set-cookie")[0])
    return cookies[morsel.key].value if morsel.key in cookies else None
