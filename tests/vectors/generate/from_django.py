"""Writes django-VERSION.jsonl: cookies made by the Django that is installed, each checked with it.

Run it inside a virtual environment that has one Django: from_django.py --out FOLDER [--seed N]
(run.py does that for every recorded version).
"""
import argparse
import http.cookies
import pathlib
import sys
import unittest.mock
import warnings

import django
from django.conf import settings

settings.configure(SECRET_KEY="unused", SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
                   ALLOWED_HOSTS=["*"], USE_TZ=True)
warnings.simplefilter("ignore")  # deprecated settings are the point of some rows
django.setup()

import rows  # noqa: E402
from django_cases import cases  # noqa: E402
from django_uses import HashMessages  # noqa: E402
from django_wire import HAS_FALLBACKS, Refused, setting, spelled, unspelled  # noqa: E402

NAME = "django-" + django.get_version()
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = []
    for case in cases():
        row_id = NAME + "-" + case.name
        try:
            made.append(row(row_id, case, rows.seeded(options.seed, row_id)))
        except http.cookies.CookieError as error:
            # Newer Pythons send no control characters, whatever Django asks for.
            print("%s is left out: this Python refuses it (%s)" % (row_id, error), file=sys.stderr)
        except Exception as error:
            raise SystemExit("%s: %r" % (row_id, error)) from error
    assert len({one["id"] for one in made}) == len(made), "two rows of one id"
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, case, rng):
    use = case.use
    key, other_key = rows.secret(rng, case.key), rows.secret(rng, rng.choice(("startproject", "base64", "hex")))
    signed_at = case.at or rng.randrange(EARLIEST, LATEST)
    with setting(**case.settings), moment(signed_at), setting(SECRET_KEY=key):
        value = use.write(case.payload)
        with setting(SECRET_KEY=other_key):
            other_value = use.write(case.payload)
        tampered = {name: wire for name, wire in spoiled(use, value, rng).items() if wire != value}
        tampered["other_value"] = other_value
        also_accepted = spellings(value)
    with setting(**case.settings), moment(signed_at + 60):
        payload = check(use, case.payload, key, other_key, value, other_value, tampered, also_accepted)
    quoted = value.startswith('"')
    timed = {"signed_at": signed_at, "now": signed_at + 60} if use.timed else {"signed_at": None}
    return {
        "id": row_id, "framework": "Django " + django.get_version(), "config": use.config(), "cookie": use.cookie,
        **rows.key_fields(key, other_key), "value": value, "other_value": other_value, **timed, "payload": payload,
        "tampered": rows.chosen(tampered, case.keep, rng),
        "also_accepted": also_accepted if case.keep == rows.ALL or quoted else [],
        "notes": {"kind": use.kind, "wire": "python-quoted" if quoted else "plain",
                  **use.notes(unspelled(value))},
    }


def spoiled(use, wire, rng):
    """Tampered values by name: the signed text spoiled and spelled as Django would, then the spelling spoiled."""
    text = unspelled(wire)
    if isinstance(use, HashMessages):
        texts = use.spoiled(text)
    else:
        texts = {**rows.spoil(text, use.sep, use.timed, rng), **use.strays(text)}
    tampered = {name: spelled(value) for name, value in texts.items()}
    if wire.startswith('"'):
        tampered["closing quote gone"] = wire[:-1]
        tampered["opening quote gone"] = wire[1:]
        tampered["quoted twice"] = spelled(wire)
    if "\\" in wire:
        tampered["quotes gone, escapes left"] = wire[1:-1]
    if any(ord(character) > 127 for character in text):
        tampered["UTF-8 in octal"] = spelled(text.encode().decode("latin-1"))
    return tampered


def spellings(wire):
    """Other spellings of the same text that Django reads, though it never writes them."""
    text = unspelled(wire)
    escaped = "\\%03o" % ord(text[0]) + spelled(text)[2:-1] if wire.startswith('"') and wire[1] == text[0] else None
    found = ['"' + text + '"'] if not wire.startswith('"') else []
    if escaped:
        found.append('"' + escaped + '"')
    if text.isprintable() and text == text.strip() and not set('";\\') & set(text):
        found.append(text)  # a quoted text bare: with UTF-8 for what the framework writes as octal
    return [spelling for spelling in dict.fromkeys(found) if spelling != wire]


def check(use, given, key, other_key, value, other_value, tampered, also_accepted):
    """Asks Django about everything that the row claims; returns the payload as Django reads it."""
    with setting(SECRET_KEY=key):
        payload = use.read(value)
        assert untagged(payload) == untagged(given), "read as %r" % (payload,)
        for spelling in also_accepted:
            assert use.read(spelling) == payload, "another reading of " + spelling
        for name, wire in tampered.items():
            assert refused(use, wire), "accepted, tampered (%s): %s" % (name, wire)
    with setting(SECRET_KEY=other_key):
        assert refused(use, value), "the value is accepted under the other key"
        assert use.read(other_value) == payload
        if HAS_FALLBACKS:
            with setting(SECRET_KEY_FALLBACKS=[key]):
                assert use.read(value) == payload, "the key does not serve as a fallback"
    return payload


def refused(use, wire):
    try:
        use.read(wire)
    except Refused:
        return True
    return False


def untagged(payload):
    """Versions differ in what stands for no extra tags, None or an empty text."""
    if isinstance(payload, list) and payload and isinstance(payload[0], list):
        return [[level, text, tags or "", is_safe] for level, text, tags, is_safe in payload]
    return payload


def moment(seconds):
    return unittest.mock.patch("time.time", return_value=float(seconds))


if __name__ == "__main__":
    main()
