"""Writes flask-VERSION.jsonl: session cookies of the installed Flask, each checked with it.

Run it inside a virtual environment that has it: from_flask.py --out FOLDER [--seed N]
(run.py does that for the recorded version).
"""
import argparse
import datetime
import importlib.metadata
import json
import pathlib
import uuid

import flask
import markupsafe
from flask.json.tag import TaggedJSONSerializer

import rows
from itsdangerous_wire import EARLIEST, LATEST, moment, spellings, versions

VERSION = importlib.metadata.version("flask")
NAME = "flask-" + VERSION
MOMENT = datetime.datetime(2026, 11, 21, 12, 30, tzinfo=datetime.timezone.utc)
SESSIONS = {
    "short": {"user_id": 4711},
    "permanent": {"user_id": 4711, "_permanent": True},
    "unicode": {"näme": "Zoë 日本語 😀"},
    "controls": {"text": "\u0000\u001f\u2028\"\\;,"},
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "tags": {"tuple": (1, ("a",)), "bytes": b"\0\xff", "uuid": uuid.UUID(int=4711), "date": MOMENT,
             "markup": markupsafe.Markup("<b>"), "dict": {" t": 1}},
    "flashes": {"_flashes": [("message", "Saved."), ("error", "Not “that”")]},
    "long": {"log": ["item"] * 60},
    "one letter": {"a": ""},
}
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak", "bytes")
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

    def read(text, under=key, name=cookie, fallback=None):
        return loaded(text, under, name, signed_at + 60, fallback)

    assert read(value) == given and read(other_value, other_key) == given, row_id
    assert read(value, other_key, fallback=key) == given, "%s is not read under a fallback" % row_id
    assert read(value, other_key) is None, "%s is accepted under the other key" % row_id
    later = saved(given, key, cookie, signed_at + 1)
    strays = {"under the other key": other_value,
              "a second later": later.rsplit(".", 1)[0] + "." + value.rsplit(".", 1)[1]}
    return {
        "id": row_id, "framework": versions("Flask", "itsdangerous", "Werkzeug"), "config": {"format": "flask-session"},
        "cookie": cookie, **rows.key_fields(key, other_key), "value": value, "other_value": other_value,
        "signed_at": signed_at, "now": signed_at + 60, "payload": json.loads(TaggedJSONSerializer().dumps(given)),
        **spellings(value, ".", True, strays, lambda text: read(text) is not None, 12, rng),
        "notes": {"compressed": value.startswith(".")},
    }


def something(rng):
    words = [rows.word(rng, rng.randrange(12)) for _ in range(rng.randrange(1, 30))]
    return {rows.word(rng, rng.randrange(1, 9)): rng.choice([words, " é".join(words), rng.random(), len(words)])}


def site(key, cookie, fallback=None):
    made = flask.Flask("site")
    made.config.update(SECRET_KEY=key, SESSION_COOKIE_NAME=cookie)
    made.config["SECRET_KEY_FALLBACKS"] = [fallback] if fallback else None
    return made


def saved(given, key, cookie, now):
    """The cookie of a response whose view has put `given` into the session."""
    made = site(key, cookie)

    @made.get("/")
    def view():
        flask.session.update(given)
        return "saved"

    with moment(now):
        header = made.test_client(use_cookies=False).get("/").headers["Set-Cookie"]
    name, _, value = header.split(";")[0].partition("=")
    assert name == cookie
    return value


def loaded(text, key, cookie, now, fallback):
    """The session of a request with this cookie, or None where it starts anew."""
    made, found = site(key, cookie, fallback), []

    @made.get("/")
    def view():
        found.append(dict(flask.session))
        return "read"

    with moment(now):
        made.test_client(use_cookies=False).get("/", headers={"Cookie": "%s=%s" % (cookie, text)})
    return found[0] or None


if __name__ == "__main__":
    main()
