"""Writes pyramid-VERSION.jsonl: sessions of the installed Pyramid and cookies of WebOb's profiles, each checked with them.

Run it inside a virtual environment that has them: from_pyramid.py --out FOLDER [--seed N]
(run.py does that for the recorded version).
"""
import argparse
import hashlib
import importlib.metadata
import json
import pathlib
import unittest.mock

from pyramid.request import Request
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from webob.cookies import SignedCookieProfile

import rows

VERSION = importlib.metadata.version("pyramid")
NAME = "pyramid-" + VERSION
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
SESSIONS = {
    "short": {"user_id": 4711}, "unicode": {"näme": "Zoë 日本語 😀"}, "controls": {"text": "\0\x1f\u2028\"\\;,"},
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "long": {"log": ["item"] * 60}, "empty": {},
}
STYLES = ("base64", "hex", "startproject", "long", "weak", "unicode", "latin")
DIGESTS = ("sha512", "sha256", "sha1", "sha384", "md5")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row(made, case, given, {}, options.seed) for made in (Session, Profile) for case, given in SESSIONS.items()]
    made += [row(kind, "random-%d" % turn, None, {}, options.seed) for kind in (Session, Profile) for turn in range(8)]
    made += [row(Session, "%s-%s" % (digest, case), SESSIONS[case], {"hashalg": digest}, options.seed)
             for digest in DIGESTS[1:] for case in ("nested", "long")]
    made += [row(Session, "salt-%d" % turn, None, {"salt": salt}, options.seed)
             for turn, salt in enumerate(["my.salt.", "sält.", "соль."])]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(kind, case, given, options, seed):
    row_id = "%s-%s-%s" % (NAME, kind.__name__.lower(), case)
    rng = rows.seeded(seed, row_id)
    given = {rows.word(rng, rng.randrange(1, 9)): rows.word(rng, rng.randrange(30))} if given is None else given
    style = rng.choice(STYLES)
    key, other_key = (rows.word(rng, 30) + "clé" if style == "latin" else rows.secret(rng, style) for _ in range(2))
    own, others = kind(key, options), kind(other_key, options)
    now = rng.randrange(EARLIEST, LATEST)
    with unittest.mock.patch("time.time", return_value=float(now)):
        value, other_value = own.dump(given), others.dump(given)
        assert own.load(value) == given and others.load(other_value) == given, row_id
        assert not own.load(other_value) and not others.load(value), row_id
        mac = hashlib.new(options.get("hashalg", "sha512")).digest_size * 4 // 3
        another = kind(key, {**options, "salt": "another."}).dump({"a": 1})
        spoiled = {**rows.spoil_text(value, rng), "under the other key": other_value, "with another salt": another,
                   "mac of another": own.dump({"a": 1})[:mac] + value[mac:], "mac alone": value[:mac + 1], "empty": ""}
        accepted = [text for text in spoiled.values() if accepts(own, text, given)]
        # what Python's decoder drops, or does not look at
        also = [text for text in accepted if text.rstrip("=")[:-1] == value[:-1]]
        assert all(text in also or text.strip("=") == value for text in accepted), (row_id, accepted)
        tampered = {name: text for name, text in spoiled.items() if text not in accepted}
    salt = options.get("salt", own.salt)
    return {
        "id": row_id, "framework": "Pyramid %s, WebOb %s" % (VERSION, importlib.metadata.version("webob")),
        "config": {"format": "pyramid", **({} if salt == Session.salt else {"salt": salt}),
                   **({"digest": options["hashalg"]} if "hashalg" in options else {})},
        "cookie": own.cookie, "key": key, "other_key": other_key, "value": value, "other_value": other_value,
        "signed_at": None, "now": now, "payload": own.signed(now, given),
        "tampered": rows.chosen(tampered, rows.ALL, rng), "also_accepted": also,
    }


def accepts(own, text, given):
    """Whether a text is read; an empty session is one that is not new."""
    return own.load(text) == given and (given or own.is_known(text))


class Session:
    """A session of Pyramid."""
    salt, cookie = "pyramid.session.", "session"

    def __init__(self, key, options):
        self.factory = SignedCookieSessionFactory(key, **options)

    def dump(self, given):
        request = Request.blank("/")
        session = self.factory(request)
        session.update(given)
        session.changed()
        response = Response()
        request._process_response_callbacks(response)
        return response.headers["Set-Cookie"].split(";")[0].partition("=")[2]

    def session(self, value):
        return self.factory(Request.blank("/", headers={"Cookie": "%s=%s" % (self.cookie, value)}))

    def load(self, value):
        return dict(self.session(value))

    def is_known(self, value):
        return not self.session(value).new

    def signed(self, now, given):
        return [now, float(now), given]


class Profile:
    """A cookie of a profile of WebOb."""
    salt, cookie = "my profile.", "profile"

    def __init__(self, key, options):
        self.profile = SignedCookieProfile(key, options.get("salt", self.salt), self.cookie)

    def dump(self, given):
        [(_, header), *_] = self.profile.get_headers(given)
        return header.split(";")[0].partition("=")[2]

    def load(self, value):
        request = Request.blank("/", headers={"Cookie": "%s=%s" % (self.cookie, value)})
        return self.profile.bind(request).get_value()

    def is_known(self, value):
        return self.load(value) is not None

    def signed(self, now, given):
        return given


if __name__ == "__main__":
    main()
