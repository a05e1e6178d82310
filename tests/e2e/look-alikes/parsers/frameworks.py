"""Prints what the cookie parsers of the Python frameworks make of raw Cookie headers.

Each line of standard input is one request: its Cookie headers in hex, several of them separated
by commas. Each line of output is a JSON object: parser -> list of [name, value].
"""

import io
import json
import sys
from http.cookies import CookieError, SimpleCookie

import django
import werkzeug.http
from aiohttp.test_utils import make_mocked_request
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from multidict import CIMultiDict
from starlette.requests import Request
from webob.cookies import RequestCookies
from tornado.httputil import HTTPHeaders, HTTPServerRequest, parse_cookie

# What a server makes of several Cookie headers: gunicorn and CGI join them with a comma, HTTP/2 servers with "; ".
GLUES = (", ", "; ")
# Making one takes longer than parsing a thousand headers.
AIOHTTP_REQUEST = make_mocked_request("GET", "/")


def glued(parse):
    def parse_all(headers):
        texts = {glue.join(headers) for glue in GLUES}
        return [pair for text in sorted(texts) for pair in parse(text)]

    return parse_all


def environ(text):
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": io.BytesIO(), "HTTP_COOKIE": text}


def scope(headers):
    raw = [(b"cookie", header.encode("latin-1")) for header in headers]
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw}


def django_wsgi(text):
    return WSGIRequest(environ(text)).COOKIES.items()


def django_asgi(headers):
    return ASGIRequest(scope(headers), io.BytesIO()).COOKIES.items()


def starlette(headers):
    return Request(scope(headers)).cookies.items()


def tornado(text):
    fields = HTTPHeaders()
    # By assignment, since add() refuses control characters only from 6.5 on.
    fields["Cookie"] = text
    request = HTTPServerRequest(method="GET", uri="/", headers=fields)
    return [(name, morsel.value) for name, morsel in request.cookies.items()]


def tornado_parser(text):
    return parse_cookie(text).items()


def werkzeug_wsgi(text):
    return werkzeug.http.parse_cookie(environ(text)).items(multi=True)


def aiohttp_server(headers):
    fields = CIMultiDict(
        # aiohttp's own parser decodes header values in this way.
        ("Cookie", header.encode("latin-1").decode("utf-8", "surrogateescape"))
        for header in headers
    )
    return AIOHTTP_REQUEST.clone(headers=fields).cookies.items()


def webob(text):
    return RequestCookies(environ(text)).items()


def simple_cookie(text):
    return [(name, morsel.value) for name, morsel in SimpleCookie(text).items()]


PARSERS = {
    "django-wsgi": glued(django_wsgi),
    "django-asgi": django_asgi,
    "starlette": starlette,
    "tornado": glued(tornado),
    "tornado-parser": glued(tornado_parser),
    "werkzeug": glued(werkzeug_wsgi),
    "webob": glued(webob),
    "aiohttp": aiohttp_server,
    "http.cookies": glued(simple_cookie),
}


def pairs(parse, headers):
    try:
        return [[str(name), str(value)] for name, value in parse(headers)]
    except (CookieError, ValueError):
        # A refused header is a request without cookies.
        return []


def main():
    settings.configure()
    django.setup(set_prefix=False)
    for line in sys.stdin:
        headers = [bytes.fromhex(part).strip(b" \t").decode("latin-1") for part in line.strip().split(",")]
        print(json.dumps({name: pairs(parse, headers) for name, parse in PARSERS.items()}))


main()
