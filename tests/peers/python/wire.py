"""The way from a client to its site and back over real connections, with the Worker in between.

The site's code does not move into another thread: the thread that asks is the one that answers, so that what a test has
set for its own thread (its database, its language, its settings) holds for the site too.
"""

import itertools
import os
import queue
import socket
import socketserver
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

PATIENCE_S = 30
EXCHANGE = "X-Peers-Exchange"
# What the two connections say about themselves, and not about the message.
OF_THE_CONNECTION = {"connection", "transfer-encoding", "content-length", "keep-alive", "host", EXCHANGE.lower()}
_is_site = ContextVar("is_site", default=False)


def is_the_site():
    """Whether the code that asks runs as the site, behind the Worker."""
    return _is_site.get()


@contextmanager
def as_the_site():
    token = _is_site.set(True)
    try:
        yield
    finally:
        _is_site.reset(token)


@dataclass
class Message:
    """A request or a response as it stands on the wire. `start` is its first line, without the version of HTTP."""

    start: tuple
    headers: list = field(default_factory=list)
    body: bytes = b""

    def values(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def without_connection(self):
        return [(key, value) for key, value in self.headers if key.lower() not in OF_THE_CONNECTION]


class Wire:
    """A listening site, and the Worker in front of it. `exchanges` counts what came through."""

    def __init__(self, worker_port, origin_port):
        self.worker_port = worker_port
        self.exchanges = 0
        self.resigned = 0
        self._numbers = itertools.count(1)
        self._waiting = {}
        server = _Server(("127.0.0.1", origin_port), _Handler)
        server.wire = self
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def exchange(self, request, answer):
        """Sends `request`; `answer(request)` is called with what the site receives. Returns what the client receives."""
        number = str(next(self._numbers))
        events = self._waiting[number] = queue.Queue()
        sent = Message(request.start, [*request.headers, (EXCHANGE, number)], request.body)
        threading.Thread(target=self._send, args=(sent, events), daemon=True).start()
        try:
            return self._await(events, answer, request)
        finally:
            del self._waiting[number]
            self.exchanges += 1

    def _await(self, events, answer, request):
        given = None
        while True:
            kind, value, reply = events.get(timeout=PATIENCE_S)
            if kind == "failure":
                raise ConnectionError(f"no answer came through the Worker: {value}")
            if kind == "response":
                self._count(request, given, value)
                return value
            given = (value, self._answered(answer, value, reply))

    def _answered(self, answer, request, reply):
        response = Message(("500", "the site failed"))
        try:
            with as_the_site():
                response = answer(request)
        finally:
            reply.put(response)
        return response

    def _count(self, request, given, response):
        if given is None:
            return
        received, answered = given
        pairs = zip(answered.values("set-cookie"), response.values("set-cookie"))
        self.resigned += sum(before != after for before, after in pairs)
        self.resigned += request.values("cookie") != received.values("cookie")

    def _send(self, request, events):
        try:
            with socket.create_connection(("127.0.0.1", self.worker_port), timeout=PATIENCE_S) as connection:
                connection.sendall(_written(request, is_request=True))
                stream = connection.makefile("rb")
                events.put(("response", _read(stream, is_head=request.start[0] == "HEAD"), None))
        except Exception as error:
            events.put(("failure", error, None))

    def _receive(self, request):
        reply = queue.Queue()
        number = request.values(EXCHANGE)[0]
        self._waiting[number].put(("request", request, reply))
        return reply.get(timeout=PATIENCE_S)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            response = self.server.wire._receive(_read(self.rfile, is_request=True))
            self.wfile.write(_written(response))
        except (ConnectionError, KeyError, EOFError, queue.Empty):
            pass  # whoever asked has gone


def _read(stream, is_head=False, is_request=False):
    line = stream.readline().decode("latin-1").rstrip("\r\n")
    if not line:
        raise EOFError("the connection ended before a message")
    parts = line.split(" ", 2)
    start = (parts[0], parts[1]) if is_request else (parts[1], parts[2] if len(parts) > 2 else "")
    headers = []
    while line := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers.append((name, value.strip(" \t")))
    message = Message(start, headers)
    if message.values("transfer-encoding"):
        message.body = b"".join(_chunks(stream))
    elif length := message.values("content-length"):
        message.body = b"" if is_head else stream.read(int(length[0]))
    elif not is_request and not is_head and start[0] not in ("204", "304"):
        message.body = stream.read()
    return message


def _chunks(stream):
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass


def _written(message, is_request=False):
    first = " ".join([*message.start, "HTTP/1.1"] if is_request else ["HTTP/1.1", *message.start])
    dropped = {"connection", "transfer-encoding", "content-length"}
    headers = [pair for pair in message.headers if pair[0].lower() not in dropped]
    if message.body if is_request else message.start[0] not in ("204", "304"):
        headers.append(("Content-Length", str(len(message.body))))
    lines = [first, *(f"{name}: {value}" for name, value in headers), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + message.body


def _of_the_environment():
    if "PEERS_WORKER_PORT" not in os.environ:
        return None
    return Wire(int(os.environ["PEERS_WORKER_PORT"]), int(os.environ["PEERS_ORIGIN_PORT"]))


WIRE = _of_the_environment()
"""The wire that the script has laid, or None where the suite runs without the Worker."""
