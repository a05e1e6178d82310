"""Writes fernet-VERSION.jsonl: tokens of the installed cryptography and cookies of aiohttp_session, each checked with both.

Run it inside a virtual environment that has the two: from_fernet.py --out FOLDER [--seed N]
(run.py does that for the recorded versions).
"""
import argparse
import asyncio
import base64
import http.cookies
import importlib.metadata
import json
import logging
import pathlib
import unittest.mock

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp_session import Session
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

import rows

logging.disable()  # what is refused is refused on purpose
VERSION = importlib.metadata.version("cryptography")
NAME = "fernet-" + VERSION
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
COOKIE = "AIOHTTP_SESSION"
SESSIONS = {
    "short": {"user_id": 4711},
    "unicode": {"näme": "Zoë 日本語 😀"},
    "controls": {"text": "\u0000\u001f\u2028\"\\"},
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "long": {"log": ["item"] * 60},
}
# as many bytes as leave a token without `=`, with one and with two, at each end of a block
LENGTHS = (0, 1, 15, 16, 17, 31, 32, 33, 100, 500)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [token_row(length, options.seed) for length in LENGTHS]
    made += [session_row(case, given, options.seed) for case, given in SESSIONS.items()]
    rows.save(options.out / (NAME + ".jsonl"), made)


def token_row(length, seed):
    """A token that a site puts into a cookie itself, through Python's http.cookies."""
    row_id = "%s-token-%d" % (NAME, length)
    rng = rows.seeded(seed, row_id)
    key, other_key, signed_at = new_key(rng), new_key(rng), rng.randrange(EARLIEST, LATEST)
    payload = rows.word(rng, length)
    with randomness(rng):
        token = Fernet(key).encrypt_at_time(payload.encode(), signed_at).decode()
    read = lambda text, key: MultiFernet([Fernet(key)]).decrypt(text).decode()
    check(read, token, payload, key, other_key)
    return row(row_id, "fernet", "token", key, other_key, token, signed_at, payload, read, rng)


def session_row(case, given, seed):
    row_id = "%s-session-%s" % (NAME, case)
    rng = rows.seeded(seed, row_id)
    key, other_key, signed_at = new_key(rng), new_key(rng), rng.randrange(EARLIEST, LATEST)
    with randomness(rng), moment(signed_at):
        value = asyncio.run(saved(given, key))
    payload = {"created": signed_at, "session": given}

    def read(token, key):
        with moment(signed_at + 60):
            return asyncio.run(loaded(spelled(token), key))

    check(read, unspelled(value), payload, key, other_key)
    assert spelled(unspelled(value)) == value
    return row(row_id, "aiohttp_session", COOKIE, key, other_key, unspelled(value), signed_at, payload, read, rng)


def row(row_id, kind, cookie, key, other_key, token, signed_at, payload, read, rng):
    tampered = {name: text for name, text in spoiled(token, rng).items() if refused(read, text, key)}
    assert len(tampered) == len(spoiled(token, rng)), "accepted though tampered: %s" % row_id
    return {
        "id": row_id, "framework": "cryptography %s, aiohttp_session %s" % (
            VERSION, importlib.metadata.version("aiohttp_session")),
        "config": {"format": "fernet"}, "cookie": cookie, "key": key, "other_key": other_key,
        "value": spelled(token), "other_value": None, "signed_at": signed_at, "now": signed_at + 60,
        "payload": payload, "tampered": [spelled(text) for text in tampered.values()], "also_accepted": [token],
        "notes": {"kind": kind, "wire": "python-quoted" if token.endswith("=") else "plain"},
    }


def check(read, token, payload, key, other_key):
    assert read(token, key) == payload, "read as %r" % (read(token, key),)
    assert refused(read, token, other_key), "the value is accepted under the other key"


def spoiled(token, rng):
    """Changed in each of its parts, by name: version, time, IV, ciphertext, MAC; and cut."""
    data = base64.urlsafe_b64decode(token)
    parts = {"version": 0, "time": 8, "iv": 9 + rng.randrange(16), "ciphertext": 25, "mac": len(data) - 1}
    found = {}
    for name, at in parts.items():
        changed = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]
        found[name] = base64.urlsafe_b64encode(changed).decode()
    found["block gone"] = base64.urlsafe_b64encode(data[:-48] + data[-32:]).decode()
    found["mac gone"] = base64.urlsafe_b64encode(data[:-32]).decode()
    found["cut"] = token[:len(token) // 2]
    return found


def refused(read, token, key):
    try:
        return read(token, key) is None
    except InvalidToken:
        return True


async def saved(given, key):
    storage, request, response = EncryptedCookieStorage(key), make_mocked_request("GET", "/"), web.Response()
    session = Session(None, data=None, new=True)
    session.update(given)
    await storage.save_session(request, response, session)
    return response.cookies[COOKIE].coded_value


async def loaded(value, key):
    """The session of a request with this cookie, or None where it starts anew."""
    request = make_mocked_request("GET", "/", headers={"Cookie": "%s=%s" % (COOKIE, value)})
    session = await EncryptedCookieStorage(key, max_age=3600).load_session(request)
    return None if session.new else {"created": session.created, "session": json.loads(json.dumps(dict(session)))}


def spelled(token):
    cookie = http.cookies.SimpleCookie()
    cookie["c"] = token
    return cookie["c"].coded_value


def unspelled(value):
    return http.cookies.SimpleCookie("c=" + value)["c"].value


def new_key(rng):
    return base64.urlsafe_b64encode(rows.random_bytes(rng, 32)).decode()


def randomness(rng):
    return unittest.mock.patch("os.urandom", lambda length: rows.random_bytes(rng, length))


def moment(seconds):
    return unittest.mock.patch("time.time", return_value=float(seconds))


if __name__ == "__main__":
    main()
