"""Writes tornado-VERSION.jsonl: signed cookies of the installed Tornado, each checked with it.

Run it inside a virtual environment that has it: from_tornado.py --out FOLDER [--seed N]
(run.py does that for the recorded version).
"""
import argparse
import http.cookies
import logging
import pathlib
import unittest.mock

import tornado
import tornado.httputil
import tornado.web

import rows

logging.disable()  # what is refused is refused on purpose
NAME = "tornado-" + tornado.version
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
TEXTS = {
    "empty": "",
    "text": "plain text",
    "unicode": "Zoë 日本語 😀",
    "controls": "\u0000\u001f\u2028\"\\;,|:",
    "digits": "1234567890",  # whose base64 ends on a digit
    "slashes": "?>~?>~???>>>",  # whose base64 has both `/` and `+`
    "long": "item-" * 120,
}
# version of the layout, and of the key where the secrets are a dict
USES = {"v2": (2, None), "v1": (1, None), "v2-keys": (2, 1), "v2-many-keys": (2, 4711)}
COOKIES = ("sid", "remember_me", "a", "shop-cart.2")
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row(case, text, use, options.seed) for case, text in TEXTS.items() for use in USES]
    made += [row("random-%d" % turn, None, use, options.seed) for turn in range(5) for use in USES]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(case, given, use, seed):
    row_id = "%s-%s-%s" % (NAME, case, use)
    rng = rows.seeded(seed, row_id)
    version, key_version = USES[use]
    given = rows.word(rng, rng.randrange(1, 60), rows.LETTERS + " é|:\"") if given is None else given
    key, other_key = (rows.secret(rng, rng.choice(STYLES)) for _ in range(2))
    cookie, signed_at = rng.choice(COOKIES), rng.randrange(EARLIEST, LATEST)

    def sign(under=key, name=cookie, at=signed_at, kept=key_version, text=given, layout=version):
        return signed(site(under, kept), name, text, layout, at)

    def read(text, under=key):
        return loaded(site(under, key_version), cookie, text, signed_at + 60)

    value, other_value = sign(), sign(other_key)
    assert read(value) == given and read(other_value, other_key) == given, row_id
    assert read(value, other_key) is None, "%s is accepted under the other key" % row_id
    text = unspelled(value)
    assert spelled(text) == value and read(text) == given, row_id
    strays = {"other key": other_value, "other name": sign(name=cookie + "x"),
              "too old": sign(at=signed_at - 31 * 86400)}
    if key_version:
        strays["other version of the key"] = sign(kept=key_version + 1)
    if version == 1:
        strays["too far ahead"] = sign(at=signed_at + 40 * 86400)
    spoiled = {**spelled_all(spoil(text, rng)), **strays}
    for name, spoilt in spoiled.items():
        assert read(spoilt) is None, "%s is accepted, tampered (%s): %s" % (row_id, name, spoilt)
    # how old a value may be is a rule's to say, not the format's; in version 1 its time has as many digits as ever
    tampered = {name: spoilt for name, spoilt in spoiled.items() if name not in ("too old", "too far ahead")}
    return {
        "id": row_id, "framework": "Tornado " + tornado.version,
        "config": {"format": "tornado", **({"version": 1} if version == 1 else {}),
                   **({"key_version": key_version} if key_version else {})},
        "cookie": cookie, "key": key, "other_key": other_key, "value": value, "other_value": other_value,
        "signed_at": signed_at, "now": signed_at + 60, "payload": given, "tampered": rows.chosen(tampered, 14, rng),
        "also_accepted": [text] if text != value else [],
        "notes": {"wire": "plain" if text == value else "python-quoted"},
    }


def spoil(text, rng):
    """The value spoiled as any text, and field by field."""
    spoiled = rows.spoil_text(text, rng)
    fields = text.split("|")
    for i, field in enumerate(fields):
        without, twice = fields[:i] + fields[i + 1:], fields[:i + 1] + fields[i:]
        changed = fields[:i] + [rows.changed(field, rng)] + fields[i + 1:]
        named = {"gone": without, "twice": twice, "changed": changed}
        spoiled.update({"field %d %s" % (i, how): "|".join(found) for how, found in named.items()})
    spoiled["signature in upper case"] = "|".join([*fields[:-1], fields[-1].upper()])
    spoiled["signature gone, its separator kept"] = "|".join([*fields[:-1], ""])
    return {name: found for name, found in spoiled.items() if found != text}


def spelled_all(texts):
    return {name: spelled(text) for name, text in texts.items()}


def site(key, key_version):
    secrets = {"cookie_secret": key} if not key_version else {
        "cookie_secret": {key_version: key, key_version + 1: "another"}, "key_version": key_version}
    return tornado.web.Application([], **secrets)


def handler(site, headers):
    request = tornado.httputil.HTTPServerRequest(
        start_line=tornado.httputil.RequestStartLine("GET", "/", "HTTP/1.1"),
        headers=tornado.httputil.HTTPHeaders({"Host": "localhost", **headers}), connection=unittest.mock.Mock())
    return tornado.web.RequestHandler(site, request)


def signed(site, cookie, given, version, now):
    """The cookie of a response whose handler has set it."""
    with unittest.mock.patch("time.time", return_value=float(now)):
        made = handler(site, {})
        made.set_signed_cookie(cookie, given, version=version)
    return made._new_cookie[cookie].coded_value


def loaded(site, cookie, value, now):
    """What a handler reads of a request with this cookie, or None."""
    with unittest.mock.patch("time.time", return_value=float(now)):
        try:
            found = handler(site, {"Cookie": "%s=%s" % (cookie, value)}).get_signed_cookie(cookie)
        except AssertionError:  # of a value that looks like version 1, where the secrets are a dict
            return None
    return None if found is None else found.decode()


def spelled(text):
    cookie = http.cookies.SimpleCookie()
    cookie["c"] = text
    return cookie["c"].coded_value


def unspelled(value):
    return tornado.httputil.parse_cookie("c=" + value)["c"]


if __name__ == "__main__":
    main()
