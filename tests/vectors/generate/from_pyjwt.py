"""Writes pyjwt-VERSION.jsonl: tokens made by the PyJWT that is installed, each checked with it.

Run it inside a virtual environment that has it: from_pyjwt.py --out FOLDER [--seed N] (run.py does that).
"""
import argparse
import base64
import datetime
import json
import pathlib
import unittest.mock
import warnings

import jwt

import rows

warnings.simplefilter("ignore")  # some keys are short on purpose

NAME = "pyjwt-" + jwt.__version__
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
ALGORITHMS = ("HS256", "HS384", "HS512")
HOUR = 3600

# what the claims are, beside times in seconds from the moment of signing; what is in the header; further options
CASES = {
    "empty": ({}, {}, {}, {}),
    "session": ({"user_id": 4711, "name": "theme"}, {"iat": 0, "exp": HOUR}, {}, {}),
    "timed": ({"user_id": 4711}, {"iat": 0}, {}, {"iat": True}),
    "not-before": ({"sub": "4711"}, {"nbf": 0, "exp": HOUR}, {}, {}),
    "fractions": ({"f": 1.5}, {"exp": HOUR + 0.75, "iat": 0.25}, {}, {}),
    "unicode": ({"näme": "Zoë 日本語 😀", "controls": "\0\x1f\u2028\"\\;,"}, {"iat": 0}, {}, {}),
    "nested": ({"exp2": 1, "in": {"exp": 1, "list": [{"nbf": 9e99}, None, True]}, "brackets": "}]\"{[,:"}, {"exp": HOUR}, {}, {}),
    "long": ({"log": ["item"] * 60}, {"iat": 0}, {}, {}),
    "kid": ({"user_id": 4711}, {"exp": HOUR}, {"kid": "2026-11"}, {"kid": "2026-11"}),
    "kid-unread": ({"user_id": 4711}, {"exp": HOUR}, {"kid": "a \"key\" é"}, {}),
    "kid-escaped": ({"user_id": 4711}, {}, {"kid": "a \"key\" é"}, {"kid": "a \"key\" é"}),
    "kid-left-out": ({"user_id": 4711}, {}, {}, {"kid": "2026-11"}),
    "header": ({"user_id": 4711}, {}, {"typ": None, "x": {"alg": "none", "kid": "}\""}, "cty": "application/x"}, {}),
}
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = []
    for name, case in CASES.items():
        for algorithm in ALGORITHMS:
            row_id = "%s-%s-%s" % (NAME, name, algorithm.lower())
            made.append(row(row_id, algorithm, *case, rows.seeded(options.seed, row_id)))
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, algorithm, claims, times, header, more, rng):
    key, other_key = (rows.secret(rng, rng.choice(STYLES)) for _ in range(2))
    signed_at = rng.randrange(EARLIEST, LATEST)
    claims = {**claims, **{name: signed_at + after for name, after in times.items()}}
    value = jwt.encode(claims, key, algorithm, header)
    now = signed_at + 60
    assert read(value, key, algorithm, now) == claims, row_id
    assert read(value, other_key, algorithm, now) is None, row_id
    other_value = jwt.encode(claims, other_key, algorithm, header)
    assert read(other_value, other_key, algorithm, now) == claims, row_id
    spoiled = {**rows.spoil(value, ".", False, rng), **strays(value, claims, key, algorithm, header, now),
               "other_value": other_value}
    # an HS256 in full base64, as nobody writes it
    padded = value + "=" * (-len(value.rsplit(".", 1)[1]) % 4)
    also_accepted = [padded] if padded != value and read(padded, key, algorithm, now) is not None else []
    tampered = {name: text for name, text in spoiled.items() if text not in also_accepted}
    for name, text in tampered.items():
        assert read(text, key, algorithm, now) is None, "%s is accepted, tampered (%s): %s" % (row_id, name, text)
    config = {"format": "jwt", **({} if algorithm == "HS256" else {"alg": algorithm}), **more}
    return {
        "id": row_id, "framework": "PyJWT " + jwt.__version__, "config": config, "cookie": "token",
        **rows.key_fields(key, other_key), "value": value, "other_value": other_value,
        "signed_at": int(claims["iat"]) if "iat" in claims else None, "now": now, "payload": claims,
        "tampered": rows.chosen(tampered, rows.ALL if algorithm == "HS256" else 8, rng),
        "also_accepted": also_accepted,
    }


def strays(value, claims, key, algorithm, header, now):
    """Tokens rightly signed, but under another algorithm, or out of their time, or of another kind."""
    signed, _, mac = value.rpartition(".")
    text = signed.partition(".")[2]
    unsigned = part({**header, "alg": "none"}) + "." + text + "."
    others = [other for other in ALGORITHMS if other != algorithm]
    signer = jwt.get_algorithm_by_name(algorithm)

    def with_header(other, own=signer):
        start = part(other) + "." + text
        return start + "." + part(own.sign(start.encode(), key.encode()))

    return {
        "alg none": unsigned,
        "alg none, signed": unsigned + mac,
        "alg none, signed anew": with_header({**header, "alg": "none"}),
        "alg left out": with_header({"typ": "JWT"}),
        "alg in lower case": with_header({**header, "alg": algorithm.lower()}),
        **{"alg " + other: jwt.encode(claims, key, other, header) for other in others},
        **{"alg %s, signed with %s" % (algorithm, other):
           with_header({**header, "alg": algorithm}, jwt.get_algorithm_by_name(other)) for other in others},
        "an extension that must be understood": with_header({**header, "alg": algorithm, "crit": ["x"], "x": 1}),
        "expired": jwt.encode({**claims, "exp": now}, key, algorithm, header),
        "not yet good": jwt.encode({**claims, "nbf": now + 1}, key, algorithm, header),
        "a time that is none": jwt.encode({**claims, "exp": "soon"}, key, algorithm, header),
        "a list for claims": jwt.api_jws.encode(b"[]", key, algorithm, header),
    }


def part(content):
    text = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read(token, key, algorithm, now):
    """The claims as PyJWT reads them at that time, or None where it refuses."""
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(now, tz)

    with unittest.mock.patch("jwt.api_jwt.datetime", Clock):
        try:
            return jwt.decode(token, key, [algorithm])
        except jwt.InvalidTokenError:
            return None


if __name__ == "__main__":
    main()
