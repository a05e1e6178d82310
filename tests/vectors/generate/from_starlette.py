"""Writes starlette-VERSION.jsonl: cookies of the installed Starlette's SessionMiddleware, each checked with it.

Run it inside a virtual environment that has it: from_starlette.py --out FOLDER [--seed N]
(run.py does that for the recorded version).
"""
import argparse
import asyncio
import importlib.metadata
import pathlib

from starlette.middleware.sessions import SessionMiddleware

import rows
from itsdangerous_wire import EARLIEST, LATEST, moment, spellings, versions

VERSION = importlib.metadata.version("starlette")
NAME = "starlette-" + VERSION
SESSIONS = {
    "short": {"user_id": 4711},
    "unicode": {"näme": "Zoë 日本語 😀"},
    "controls": {"text": "\u0000\u001f\u2028\"\\;,"},
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "long": {"log": ["item"] * 60},
    # padded with none, one and two, and with `+` and `/` in the base64
    "padding-0": {"a": ""}, "padding-1": {"a": "bc"}, "padding-2": {"a": "b"},
    "alphabet": {"text": "?>~?>~ûÿ>>>???"},
}
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak")
TIMES = 2


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row("%s-%s-%d" % (NAME, case, turn), given, options.seed)
            for case, given in SESSIONS.items() for turn in range(TIMES)]
    made += [row("%s-random-%d" % (NAME, turn), None, options.seed) for turn in range(12)]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, given, seed):
    rng = rows.seeded(seed, row_id)
    given = something(rng) if given is None else given
    style = rng.choice(STYLES)
    key, other_key, cookie = rows.secret(rng, style), rows.secret(rng, style), rng.choice(["session", "shop.sid"])
    signed_at = rng.randrange(EARLIEST, LATEST)
    value, other_value = (saved(given, k, cookie, signed_at) for k in (key, other_key))

    def read(text, under=key):
        return loaded(text, under, cookie, signed_at + 60)

    assert read(value) == given and read(other_value, other_key) == given, row_id
    assert read(value, other_key) is None, "%s is accepted under the other key" % row_id
    later = saved(given, key, cookie, signed_at + 1)
    strays = {"under the other key": other_value,
              "a second later": later.rsplit(".", 1)[0] + "." + value.rsplit(".", 1)[1]}
    return {
        "id": row_id, "framework": versions("Starlette", "itsdangerous"), "config": {"format": "starlette-session"},
        "cookie": cookie, **rows.key_fields(key, other_key), "value": value, "other_value": other_value,
        "signed_at": signed_at, "now": signed_at + 60, "payload": given,
        **spellings(value, ".", True, strays, lambda text: read(text) is not None, 12, rng),
    }


def something(rng):
    words = [rows.word(rng, rng.randrange(12)) for _ in range(rng.randrange(1, 30))]
    return {rows.word(rng, rng.randrange(1, 9)): rng.choice([words, " é".join(words), rng.random(), len(words)])}


def saved(given, key, cookie, now):
    """The cookie of a response whose endpoint has put `given` into the session."""
    headers = asked(key, cookie, now, [], lambda session: session.update(given))
    name, _, value = dict(headers)[b"set-cookie"].decode("latin-1").split(";")[0].partition("=")
    assert name == cookie
    return value


def loaded(text, key, cookie, now):
    """The session of a request with this cookie, or None where it starts anew."""
    found = []
    header = (b"cookie", ("%s=%s" % (cookie, text)).encode("latin-1"))
    asked(key, cookie, now, [header], lambda session: found.append(dict(session)))
    return found[0] or None


def asked(key, cookie, now, headers, endpoint):
    """Sends one request through the middleware; the headers of the response."""
    sent = []

    async def app(scope, receive, send):
        endpoint(scope["session"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.extend(message["headers"])

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    with moment(now):
        asyncio.run(SessionMiddleware(app, key, session_cookie=cookie)(scope, None, send))
    return sent


if __name__ == "__main__":
    main()
