"""A pytest plugin that puts the Worker between Flask's test client and the site, and tells what became of each test.

`session_transaction` looks into a client's session past the site: there the client sees and stores cookies as the site
would have received and sent them.
"""

from contextlib import contextmanager
from functools import wraps
from urllib.parse import quote, unquote_to_bytes

import werkzeug.test
from flask.testing import FlaskClient
from outcomes import Outcomes
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from wire import WIRE, Message, is_the_site

OUTCOMES = Outcomes(WIRE)
HOST = "localhost"
_looking = set()


def pytest_configure():
    if WIRE:
        werkzeug.test.run_wsgi_app = _through(werkzeug.test.run_wsgi_app)
        FlaskClient.session_transaction = _as_the_site(FlaskClient.session_transaction)
        FlaskClient._add_cookies_to_wsgi = _received_cookies(FlaskClient._add_cookies_to_wsgi)
        FlaskClient._update_cookies_from_response = _sent_cookies(FlaskClient._update_cookies_from_response)


def pytest_runtest_setup():
    OUTCOMES.started()


def pytest_runtest_logreport(report):
    if report.failed:
        OUTCOMES.ended(report.nodeid, "fails", str(report.longrepr).splitlines()[-1][:600])
    elif report.skipped:
        OUTCOMES.ended(report.nodeid, "skipped")
    elif report.when == "teardown":
        OUTCOMES.ended(report.nodeid, "passes")


def pytest_sessionfinish():
    OUTCOMES.write()


def _through(run_site):
    @wraps(run_site)
    def through(app, environ, buffered=False):
        if is_the_site() or isinstance(app, (Response, HTTPException)):
            return run_site(app, environ, buffered)  # a response that is made into another, and no request
        sent = []

        def site(message):
            body, status, headers = run_site(app, _environ_of(message, environ), buffered)
            sent.append((body, headers))
            # The body stays the test's own, who may want to read it in parts.
            code, _, reason = status.partition(" ")
            return Message((code, reason), list(headers))

        came = WIRE.exchange(_request_of(environ), site)
        status = " ".join(came.start)
        if not sent:
            return [came.body], status, Headers(came.without_connection())
        body, headers = sent[0]
        lengths = [("Content-Length", value) for value in headers.getlist("Content-Length")]
        received = [pair for pair in came.without_connection() if pair[0].lower() != "date"]
        return body, status, Headers(received + lengths)

    return through


def _request_of(environ):
    target = quote(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"], safe="/:@!$&'()*+,;=~", encoding="latin-1") or "/"
    if query := environ.get("QUERY_STRING"):
        target += f"?{query}"
    headers = [("Host", environ.get("HTTP_HOST") or environ["SERVER_NAME"])]
    headers += [
        (key[5:].replace("_", "-").title(), str(value))
        for key, value in environ.items()
        if key.startswith("HTTP_") and key != "HTTP_HOST"
    ]
    return Message((environ["REQUEST_METHOD"], target), headers)


def _environ_of(message, environ):
    """The environment of the client's own making, with what came over the wire in place of what was sent."""
    target, _, query = message.start[1].partition("?")
    path = unquote_to_bytes(target).decode("latin-1").removeprefix(environ.get("SCRIPT_NAME", ""))
    kept = {key: value for key, value in environ.items() if not key.startswith("HTTP_") or key == "HTTP_HOST"}
    for name, value in message.without_connection():
        kept[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return {**kept, "REQUEST_METHOD": message.start[0], "PATH_INFO": path, "QUERY_STRING": query}


# A client that looks into its own session.


def _as_the_site(look):
    @wraps(look)
    @contextmanager
    def wrapped(client, *args, **kwargs):
        transaction = look(client, *args, **kwargs)
        with _looks(client):
            session = transaction.__enter__()
        try:
            yield session
        except BaseException as error:
            if not transaction.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            with _looks(client):
                transaction.__exit__(None, None, None)

    return wrapped


@contextmanager
def _looks(client):
    _looking.add(id(client))
    try:
        yield
    finally:
        _looking.discard(id(client))


def _received_cookies(add):
    @wraps(add)
    def wrapped(client, environ):
        add(client, environ)
        if id(client) not in _looking or "HTTP_COOKIE" not in environ:
            return
        seen = []

        def site(message):
            seen.extend(message.values("cookie"))
            return Message(("204", "No Content"))

        WIRE.exchange(Message(("GET", "/"), [("Host", HOST), ("Cookie", environ.pop("HTTP_COOKIE"))]), site)
        if seen:
            environ["HTTP_COOKIE"] = "; ".join(seen)

    return wrapped


def _sent_cookies(update):
    @wraps(update)
    def wrapped(client, server_name, path, headers):
        if id(client) in _looking and headers:
            answer = Message(("204", "No Content"), [("Set-Cookie", line) for line in headers])
            came = WIRE.exchange(Message(("GET", "/"), [("Host", HOST)]), lambda _: answer)
            headers = came.values("set-cookie")
        update(client, server_name, path, headers)

    return wrapped
