"""What Django's test clients send goes through the Worker to the site, and what it answers comes back that way."""

import asyncio
from functools import wraps
from http.cookies import SimpleCookie
from io import BytesIO
from urllib.parse import quote, unquote_to_bytes

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from django.http import HttpResponse
from django.test.client import AsyncClientHandler, ClientHandler, FakePayload
from wire import WIRE, Message, as_the_site

HOST = "testserver"


def put_between():
    """Has Django's test clients send over the wire."""
    ClientHandler.__call__ = _through_wsgi(ClientHandler.__call__)
    AsyncClientHandler.__call__ = _through_asgi(AsyncClientHandler.__call__)


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
