"""Serves a site under WSGI or ASGI on a free port; the first line says its version and address."""

import asyncio
import socket
from importlib.metadata import version
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def announce(package, port):
    print(f"{package} {version(package)} http://127.0.0.1:{port}", flush=True)


def listening(package):
    sock = socket.create_server(("127.0.0.1", 0))
    announce(package, sock.getsockname()[1])
    return sock


def wsgi(package, site):
    server = make_server("127.0.0.1", 0, site, handler_class=Quiet)
    announce(package, server.server_port)
    server.serve_forever()


def asgi(package, site):
    import uvicorn

    config = uvicorn.Config(site, lifespan="off", log_level="warning")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening(package)]))
