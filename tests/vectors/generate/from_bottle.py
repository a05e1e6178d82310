"""Writes bottle-VERSION.jsonl: signed cookies of the installed Bottle, each checked with it.

Run it inside a virtual environment that has it: from_bottle.py --out FOLDER [--seed N]
(run.py does that for the recorded versions).
"""
import argparse
import base64
import hashlib
import hmac
import http.cookies
import pathlib
import pickle
import warnings

import bottle

import rows

warnings.simplefilter("ignore")  # of values that are no texts
NAME = "bottle-" + bottle.__version__
# 0.12 signs with MD5 and nothing else
DIGESTS = ("md5",) if bottle.__version__.startswith("0.12") else ("sha256", "sha1", "sha512", "md5")
GIVEN = {
    "empty": "",
    "text": "plain text",
    "unicode": "Zoë 日本語 😀",
    "controls": "\u0000\u001f\u2028\"\\;,!?",
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "list": ["sid", "sid", "x"],
    "long": "item-" * 120,
    "name": None,  # the cookie's own, which a pickle writes once
}
COOKIES = ("sid", "remember_me", "a", "shop-cart.2", "n" * 300)
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak")
TURNS = 7


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row("%s-%s-%d" % (NAME, case, turn), given, DIGESTS[(i + turn) % len(DIGESTS)], options.seed)
            for i, (case, given) in enumerate(GIVEN.items()) for turn in range(TURNS)]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, given, digest, seed):
    rng = rows.seeded(seed, row_id)
    cookie = rng.choice(COOKIES)
    given = cookie if given is None else given
    key, other_key = (rows.secret(rng, rng.choice(STYLES)) for _ in range(2))

    def sign(under=key, name=cookie):
        return signed(name, given, under, digest)

    def read(text, under=key):
        return loaded(cookie, text, under, digest)

    value, other_value = sign(), sign(other_key)
    assert read(value) == [given] and read(other_value, other_key) == [given], row_id
    assert read(value, other_key) is None, "%s is accepted under the other key" % row_id
    text = unspelled(value)
    assert spelled(text) == value and read(text) == [given], row_id
    strays = {"other key": other_value, "other name": sign(name=cookie + "x"),
              "other name in other case": sign(name=cookie.upper()), "nothing": spelled(by_hand(key, digest, []))}
    spoiled = {**{name: spelled(spoilt) for name, spoilt in spoil(text, rng).items()}, **strays}
    for name, spoilt in spoiled.items():
        assert read(spoilt) is None, "%s is accepted, tampered (%s): %s" % (row_id, name, spoilt)
    return {
        "id": row_id, "framework": "Bottle " + bottle.__version__,
        "config": {"format": "bottle", **({} if digest == "sha256" else {"digest": digest})},
        "cookie": cookie, "key": key, "other_key": other_key, "value": value, "other_value": other_value,
        "signed_at": None, "payload": given, "tampered": rows.chosen(spoiled, 10, rng), "also_accepted": [text],
    }


def spoil(text, rng):
    """The value spoiled as any text, and each of its two parts."""
    signature, pickled = text[1:].split("?")
    spoiled = {
        "mark gone": text[1:],
        "signature gone": "!?" + pickled,
        "signature changed": "!%s?%s" % (rows.changed(signature, rng), pickled),
        "signature without padding": "!%s?%s" % (signature.rstrip("="), pickled),
        "signature in base64url": "!%s?%s" % (signature.translate(str.maketrans("+/", "-_")), pickled),
        "pickle gone": "!%s?" % signature,
        "pickle changed": "!%s?%s" % (signature, rows.changed(pickled, rng)),
        "pickle without padding": "!%s?%s" % (signature, pickled.rstrip("=")),
        "parts swapped": "!%s?%s" % (pickled, signature),
        "separator doubled": text.replace("?", "??"),
    }
    return {name: found for name, found in {**rows.spoil_text(text, rng), **spoiled}.items() if found != text}


def by_hand(key, digest, content):
    text = base64.b64encode(pickle.dumps(content, -1))
    mac = hmac.new(key.encode(), text, getattr(hashlib, digest)).digest()
    return "!%s?%s" % (base64.b64encode(mac).decode(), text.decode())


def options(digest):
    return {} if len(DIGESTS) == 1 else {"digestmod": getattr(hashlib, digest)}


def signed(cookie, given, key, digest):
    response = bottle.BaseResponse()
    response.set_cookie(cookie, given, key, **options(digest))
    [header] = [header for name, header in response.headerlist if name == "Set-Cookie"]
    name, _, value = header.partition("=")
    assert name == cookie and ";" not in value
    return value


def loaded(cookie, value, key, digest):
    """What a request with this cookie holds, in a list of one; None where it is refused."""
    request, nothing = bottle.BaseRequest({"HTTP_COOKIE": "%s=%s" % (cookie, value)}), object()
    found = request.get_cookie(cookie, nothing, key, **options(digest))
    return None if found is nothing else [found]


def spelled(text):
    cookie = http.cookies.SimpleCookie()
    cookie["c"] = text
    return cookie["c"].coded_value


def unspelled(value):
    return http.cookies.SimpleCookie("c=" + value)["c"].value


if __name__ == "__main__":
    main()
