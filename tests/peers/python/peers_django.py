"""Puts the Worker between Django's test client and the site, and tells what became of each test.

Three seams, so that no test has to be edited:
- what a client sends goes over the wire, and its cookies are what came back from there;
- a client that looks into its own session, or logs in past the site, sees and stores cookies as the site would have
  received and sent them;
- a cookie that a test sets on a response without any client goes to a browser and comes back: what the test reads is
  what the site would receive.
"""

import asyncio
import json
import os
from contextlib import contextmanager
from functools import wraps
from http.cookies import SimpleCookie
from io import BytesIO
from unittest import TextTestResult
from urllib.parse import quote, unquote_to_bytes

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from django.http import HttpResponse, parse_cookie
from django.http.response import HttpResponseBase
from django.test.client import AsyncClientHandler, ClientHandler, ClientMixin, FakePayload
from django.test.runner import DiscoverRunner
from outcomes import Outcomes
from wire import Message, as_the_site, is_the_site, wire_of_the_environment

WIRE = wire_of_the_environment()
OUTCOMES = Outcomes(WIRE)
MANAGED = json.loads(os.environ["PEERS_MANAGED"])
HOST = "testserver"


class Runner(DiscoverRunner):
    def setup_test_environment(self, **kwargs):
        super().setup_test_environment(**kwargs)
        if WIRE:
            put_between()

    def get_resultclass(self):
        return Result

    def run_tests(self, *args, **kwargs):
        try:
            return super().run_tests(*args, **kwargs)
        finally:
            OUTCOMES.write()


class Result(TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        OUTCOMES.started()

    def addSuccess(self, test):
        super().addSuccess(test)
        OUTCOMES.ended(test.id(), "passes")

    def addError(self, test, err):
        super().addError(test, err)
        OUTCOMES.ended(test.id(), "fails", _why(err))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        OUTCOMES.ended(test.id(), "fails", _why(err))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            OUTCOMES.ended(test.id(), "fails", f"{subtest}: {_why(err)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        OUTCOMES.ended(test.id(), "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        OUTCOMES.ended(test.id(), "fails as expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        OUTCOMES.ended(test.id(), "passes unexpectedly")


def put_between():
    ClientHandler.__call__ = _through_wsgi(ClientHandler.__call__)
    AsyncClientHandler.__call__ = _through_asgi(AsyncClientHandler.__call__)
    ClientMixin.session = property(_as_the_site(ClientMixin.session.fget))
    for name in ("_login", "logout"):
        setattr(ClientMixin, name, _as_the_site(getattr(ClientMixin, name)))
    for name in ("asession", "_alogin", "alogout"):
        setattr(ClientMixin, name, _async_as_the_site(getattr(ClientMixin, name)))
    HttpResponseBase.set_cookie = _to_a_browser_and_back(HttpResponseBase.set_cookie)


# What a client sends.


def _through_wsgi(call_site):
    @wraps(call_site)
    def through(handler, environ):
        received, sent = [], []

        def site(message):
            received.append(_environ_of(message, environ))
            response = call_site(handler, received[0])
            sent.append(response)
            return _message_of(response)

        came = WIRE.exchange(_request_of(environ), site)
        response = sent[0] if sent else HttpResponse(came.body)
        if not sent:
            response.wsgi_request = WSGIRequest(environ)
        return _as_it_came(response, came)

    return through


def _request_of(environ):
    target = quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/:@!$&'()*+,;=~") or "/"
    if query := environ.get("QUERY_STRING"):
        target += f"?{query}"
    headers = [("Host", environ.get("HTTP_HOST") or environ.get("SERVER_NAME", HOST))]
    for key, value in environ.items():
        if key.startswith("HTTP_") and key != "HTTP_HOST" and value is not None:
            headers.append((_header_name(key[5:]), str(value)))
    if content_type := environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", str(content_type)))
    return Message((environ["REQUEST_METHOD"], target), headers, _body_of(environ))


def _body_of(environ):
    # A test may put a stream there that fails, or that must not be read.
    stream = environ.get("wsgi.input")
    if not isinstance(stream, FakePayload) or stream.read_started:
        return b""
    body = stream.read()
    environ["wsgi.input"] = FakePayload(body)
    return body


def _environ_of(message, environ):
    """The environment of the client's own making, with everything that came over the wire in place of what was sent."""
    method, target = message.start
    path, _, query = target.partition("?")
    kept = {key: value for key, value in environ.items() if not key.startswith("HTTP_")}
    if "HTTP_HOST" in environ:
        kept["HTTP_HOST"] = ", ".join(message.values("host"))
    for name, value in message.without_connection():
        key = name.upper().replace("-", "_")
        kept["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    kept.update(REQUEST_METHOD=method, PATH_INFO=unquote_to_bytes(path).decode("latin-1"))
    if query or "QUERY_STRING" in environ:
        kept["QUERY_STRING"] = query
    if isinstance(environ.get("wsgi.input"), FakePayload):
        kept["wsgi.input"] = FakePayload(message.body)
    return kept


def _header_name(key):
    return key.replace("_", "-").title()


def _through_asgi(call_site):
    @wraps(call_site)
    async def through(handler, scope):
        received, sent = [], []
        loop = asyncio.get_running_loop()
        body = scope.pop("_body_file").read() if "_body_file" in scope else b""

        def site(message):
            received.append(_scope_of(message, scope))
            return asyncio.run_coroutine_threadsafe(ask(), loop).result()

        async def ask():
            with as_the_site():
                sent.append(await call_site(handler, received[0]))
            return _message_of(sent[0])

        came = await asyncio.to_thread(WIRE.exchange, _request_of_scope(scope, body), site)
        response = sent[0] if sent else HttpResponse(came.body)
        if not sent:
            response.asgi_request = ASGIRequest(scope, LimitedStream(BytesIO(body), len(body)))
        return _as_it_came(response, came)

    return through


def _request_of_scope(scope, body):
    target = quote(scope["path"], safe="/:@!$&'()*+,;=~") or "/"
    if query := scope.get("query_string"):
        target += f"?{query.decode('latin-1') if isinstance(query, bytes) else query}"
    pairs = [(_text(name).title(), _text(value)) for name, value in scope["headers"]]
    hosts = [pair for pair in pairs if pair[0] == "Host"]
    others = [pair for pair in pairs if pair[0] not in ("Host", "Content-Length")]
    return Message((scope["method"], target), [*(hosts or [("Host", HOST)]), *others], body)


def _scope_of(message, scope):
    sent = {_text(name).lower() for name, _ in scope["headers"]}
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in message.without_connection()]
    for name in ("host", "content-length"):
        if name in sent:
            headers += [(name.encode(), value.encode("latin-1")) for value in message.values(name)]
    return {**scope, "method": message.start[0], "headers": headers, "_body_file": FakePayload(message.body)}


def _text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


# What the site answers.


def _message_of(response):
    headers = list(response.items())
    headers += [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    # A stream stays the test's own: to send it would use it up.
    body = b"" if response.streaming else response.content
    return Message((str(response.status_code), response.reason_phrase), headers, body)


def _as_it_came(response, came):
    """The site's response object, with status, headers and cookies as the client received them."""
    response.status_code = int(came.start[0])
    if not response.streaming and response.content != came.body:
        response.content = came.body
    _take_headers(response, came)
    sent = {morsel.OutputString(): (name, morsel) for name, morsel in response.cookies.items()}
    response.cookies = SimpleCookie()
    for line in came.values("set-cookie"):
        if line in sent:
            dict.__setitem__(response.cookies, *sent[line])
        else:
            response.cookies.load(line)
    return response


def _take_headers(response, came):
    received = {}
    for name, value in came.without_connection():
        if name.lower() not in ("set-cookie", "date", "server"):
            received.setdefault(name.lower(), (name, []))[1].append(value)
    for name in list(response.headers):
        if name.lower() not in received and name.lower() not in ("content-length", "date", "server", "connection"):
            del response.headers[name]
    for name, values in received.values():
        if response.headers.get(name) != ", ".join(values):
            response.headers[name] = ", ".join(values)


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


def _why(err):
    kind, value, _ = err
    return f"{kind.__name__}: {value}"[:600]
