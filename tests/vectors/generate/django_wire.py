"""How Django reads and writes a cookie on the wire, and what the installed version can do."""
import contextlib

import django
from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from django.test import RequestFactory

HAS_ALGORITHM = django.VERSION >= (3, 1)
READS_BOTH_DIGESTS = (3, 1) <= django.VERSION < (4, 0)
HAS_SIGN_OBJECT = django.VERSION >= (3, 2)
HAS_FALLBACKS = django.VERSION >= (4, 1)
HAS_V2_SALT = hasattr(signing, "_cookie_signer_salt")


class Refused(Exception):
    """Django did not accept the value."""


@contextlib.contextmanager
def setting(**values):
    absent = object()
    before = {name: getattr(settings, name, absent) for name in values}
    for name, value in values.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            delattr(settings, name) if value is absent else setattr(settings, name, value)


def request(cookie=None, wire=""):
    """A WSGI request; each character of `wire` reaches Django as its UTF-8 bytes."""
    header = {"HTTP_COOKIE": (cookie + "=" + wire).encode().decode("latin-1")} if cookie else {}
    return RequestFactory().get("/", **header)


def sent(response, cookie):
    """The cookie's value as the response's Set-Cookie header spells it."""
    pair = response.cookies[cookie].output(header="").strip().split(";")[0]
    return pair.partition("=")[2]


def spelled(text):
    """The text as Django's response would spell it in a cookie."""
    response = HttpResponse()
    response.set_cookie("any", text)
    return sent(response, "any")


def unspelled(wire):
    return request("any", wire).COOKIES["any"]


def unless_refused(read, *arguments, **options):
    """A value with a right MAC and no time is no BadSignature to Django: it fails to unpack it, or to decode it."""
    try:
        return read(*arguments, **options)
    except (signing.BadSignature, ValueError) as error:
        raise Refused from error
