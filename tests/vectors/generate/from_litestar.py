"""Writes litestar-VERSION.jsonl: client-side sessions of the installed Litestar, each checked with it.

Run it inside a virtual environment that has it: from_litestar.py --out FOLDER [--seed N]
(run.py does that for the recorded version).
"""
import argparse
import asyncio
import base64
import importlib.metadata
import pathlib
import unittest.mock

import litestar
from litestar.middleware.session import client_side

import rows

VERSION = importlib.metadata.version("litestar")
NAME = "litestar-" + VERSION
COOKIE = "session"
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
DAY = 86400
SESSIONS = {
    "short": {"user_id": 4711}, "unicode": {"näme": "Zoë 日本語 😀"}, "controls": {"text": "\0\x1f\u2028\"\\;,"},
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "long": {"log": ["item"] * 60}, "one letter": {"a": ""}, "mark": {"a": client_side.AAD.decode()},
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row("%s-%s-%d" % (NAME, case, length), given, length, options.seed)
            for case, given in SESSIONS.items() for length in (32, 16)]
    made += [row("%s-random-%d" % (NAME, turn), None, 32, options.seed) for turn in range(8)]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, given, length, seed):
    rng = rows.seeded(seed, row_id)
    given = {rows.word(rng, rng.randrange(1, 9)): rows.word(rng, rng.randrange(60))} if given is None else given
    key, other_key = rows.random_bytes(rng, length), rows.random_bytes(rng, length)
    signed_at = rng.randrange(EARLIEST, LATEST)
    with unittest.mock.patch.object(client_side, "urandom", lambda count: rows.random_bytes(rng, count)):
        value, other_value = saved(given, key, signed_at), saved(given, other_key, signed_at)
        later, another = saved(given, key, signed_at + 60), saved({"a": 1}, key, signed_at)

    def read(text, under=key, now=signed_at + 60):
        return loaded(text, under, now)

    assert read(value) == given and read(other_value, other_key) == given, row_id
    assert not read(other_value) and not read(value, now=signed_at + DAY), row_id
    spoiled = {"under the other key": other_value, "quotes alone": '""', "cleared": "null",
               **strays(*(base64.b64decode(text.strip('"')) for text in (value, later, another)))}
    tampered = {name: text for name, text in spoiled.items() if read(text) != given}
    assert len(tampered) == len(spoiled), (row_id, set(spoiled) - set(tampered))
    bare = value.strip('"')
    also = [text for text in (bare, '"%s"' % bare) if text != value]
    assert all(read(text) == given for text in also), row_id
    return {
        "id": row_id, "framework": "Litestar " + VERSION, "config": {"format": "litestar"}, "cookie": COOKIE,
        **rows.key_fields(key, other_key), "value": value, "other_value": None, "signed_at": None,
        "now": signed_at + 60, "payload": given, "tampered": rows.chosen(tampered, rows.ALL, rng), "also_accepted": also,
        "notes": {"expires_at": signed_at + DAY},
    }


def strays(own, later, another):
    """The bytes changed in each of their parts, in base64 and quotes."""
    at = own.index(client_side.AAD)
    head, tail = own[:at], own[at:]
    flipped = lambda place: own[:place] + bytes([own[place] ^ 32]) + own[place + 1:]
    return {name: '"%s"' % base64.b64encode(text).decode() for name, text in {
        "nonce changed": flipped(3), "cipher changed": flipped(12), "tag changed": flipped(at - 1), "mark changed": flipped(at),
        "a later expiry": head + later[later.index(client_side.AAD):], "expiry changed": flipped(len(own) - 3),
        "no expiry": head, "expiry twice": own + tail, "cut": own[:-1],
        "tag of another": own[:at - 16] + another[another.index(client_side.AAD) - 16:], "nonce alone": own[:12],
        "nonce of another": another[:12] + own[12:], "one longer": b"x" + own, "nothing encrypted": own[:12] + tail,
        "expiry alone": tail, "no nonce": own[12:],
    }.items()}


def site(key, given, found):
    @litestar.get("/set", sync_to_thread=False)
    def set_session(request: litestar.Request) -> None:
        request.set_session(given)

    @litestar.get("/read", sync_to_thread=False)
    def read_session(request: litestar.Request) -> None:
        found.append(dict(request.session))
        request.clear_session()

    config = client_side.CookieBackendConfig(secret=key, max_age=DAY, secure=True)
    return litestar.Litestar([set_session, read_session], middleware=[config.middleware], openapi_config=None)


def saved(given, key, now):
    headers = asked(site(key, given, []), "/set", now)
    header = next(value for name, value in headers if name == b"set-cookie").decode()
    return next(part for part in header.split("; ") if part.startswith(COOKIE + "="))[len(COOKIE) + 1:]


def loaded(text, key, now):
    found = []
    asked(site(key, {}, found), "/read", now, "%s=%s" % (COOKIE, text))
    return found[0] if found else None


def asked(app, path, now, cookie=None):
    """The headers of the response to a request at that time."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"site.test"), *([(b"cookie", cookie.encode())] if cookie else [])]
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": "",
             "query_string": b"", "headers": headers, "scheme": "https", "server": ("site.test", 443), "client": ("::1", 1)}
    with unittest.mock.patch("time.time", return_value=float(now)):
        asyncio.run(app(scope, receive, send))
    return sent[0]["headers"]


if __name__ == "__main__":
    main()
