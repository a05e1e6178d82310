"""Writes flask-login-VERSION.jsonl: remember tokens of the installed Flask-Login, each checked with it.

Run it inside a virtual environment that has it: from_flask_login.py --out FOLDER [--seed N]
(run.py does that for the recorded version).
"""
import argparse
import importlib.metadata
import pathlib

import flask
import flask_login

import rows

VERSION = importlib.metadata.version("flask-login")
NAME = "flask-login-" + VERSION
COOKIE = "remember_token"
IDS = {
    "number": "4711", "uuid": "0af1c2d9-8c3c-4c0e-9d93-3f6d4b1f8a11", "mail": "ada@example.com", "bars": "a|b||c",
    "unicode": "Zoë 日本語 😀", "latin": "Zoë", "spaces": " a b ", "symbols": "!#$&'()*+,/:;=?@[]\"\\|~<>^`{}",
    "octal": "\\101 \\\\303", "quotes": '"', "controls": "\0\t\r\n\x19\x7f", "long": "item-" * 120,
}
STYLES = ("base64", "hex", "startproject", "long", "weak", "bytes", "latin")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row("%s-%s" % (NAME, case), given, options.seed) for case, given in IDS.items()]
    made += [row("%s-random-%d" % (NAME, turn), None, options.seed) for turn in range(20)]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, given, seed):
    rng = rows.seeded(seed, row_id)
    given = rows.word(rng, rng.randrange(1, 40), rows.LETTERS + "-_.@|") if given is None else given
    style = rng.choice(STYLES)
    key, other_key = (rows.word(rng, 30) + "clé" if style == "latin" else rows.secret(rng, style) for _ in range(2))
    own, others = Site(key), Site(other_key)
    value, other_value = own.remember(given), others.remember(given)
    assert own.user(value) == given and others.user(other_value) == given, row_id
    assert own.user(other_value) is None and others.user(value) is None, row_id
    spoiled = {**rows.spoil_text(value, rng), **strays(value), "under the other key": other_value}
    # of what it reads besides, nothing is written: Countersign is stricter
    tampered = {name: text for name, text in spoiled.items() if ";" not in text and own.user(text) is None}
    return {
        "id": row_id, "framework": "Flask-Login %s, Werkzeug %s" % (VERSION, importlib.metadata.version("werkzeug")),
        "config": {"format": "flask-login"}, "cookie": COOKIE, **rows.key_fields(key, other_key), "value": value,
        "other_value": other_value, "signed_at": None, "payload": given,
        "tampered": rows.chosen(tampered, rows.ALL, rng),
    }


def strays(value):
    bare = value.strip('"')
    user, digest = bare.rsplit("|", 1)
    quoted = (lambda text: '"%s"' % text) if value != bare else (lambda text: text)
    return {name: quoted(text) for name, text in {
        "id changed": "x" + bare, "digest changed": user + "|" + ("1" if digest[0] == "0" else "0") + digest[1:],
        "digest in upper case": user + "|" + digest.upper(), "digest gone": user, "digest empty": user + "|",
        "digest cut": bare[:-1], "digest longer": bare + "0", "a bar more": bare + "|", "digest twice": bare + "|" + digest,
        "sha256 long": user + "|" + digest[:64], "nothing but the digest": digest, "another separator": user + "." + digest,
    }.items()}


class Site:
    """A site that remembers whom it is told to, and says whom it remembers."""

    def __init__(self, key):
        site = flask.Flask("site")
        site.secret_key = key
        manager = flask_login.LoginManager(site)
        given = self.given = []

        class User(flask_login.UserMixin):
            def __init__(self, user_id):
                self.id = user_id

        manager.user_loader(User)

        @site.get("/login")
        def login():
            flask_login.login_user(User(given[0]), remember=True)
            return ""

        @site.get("/")
        def home():
            user = flask_login.current_user
            return {"user": user.get_id() if user.is_authenticated else None}

        self.client = site.test_client(use_cookies=False)

    def remember(self, user_id):
        self.given[:] = [user_id]
        headers = self.client.get("/login").headers.getlist("Set-Cookie")
        header = next(header for header in headers if header.startswith(COOKIE + "="))
        return header[len(COOKIE) + 1:header.index("; Expires=")]

    def user(self, value):
        if not value.isascii():
            return None
        return self.client.get("/", headers={"Cookie": "%s=%s" % (COOKIE, value)}).json["user"]


if __name__ == "__main__":
    main()
