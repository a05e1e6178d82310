"""A site that answers with the variables HTTP_… of its request, as Python's wsgiref makes them of headers: it joins names
that differ in case, or in `-` and `_`, to one variable. Prints its version and address, then serves."""

import json
import platform
from wsgiref.simple_server import WSGIRequestHandler, make_server


def variables(environ, start_response):
    body = json.dumps({name: value for name, value in environ.items() if name.startswith("HTTP_")}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, variables, handler_class=Quiet)
    print(f"Python {platform.python_version()} http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.05)
