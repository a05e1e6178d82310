"""Writes itsdangerous-VERSION.jsonl: values of the installed itsdangerous, each checked with it.

Run it inside a virtual environment that has it: from_itsdangerous.py --out FOLDER [--seed N]
(run.py does that for the recorded versions).
"""
import argparse
import hashlib
import importlib.metadata
import pathlib

import itsdangerous

import rows
from itsdangerous_wire import EARLIEST, LATEST, moment, spellings

VERSION = importlib.metadata.version("itsdangerous")
NAME = "itsdangerous-" + VERSION
IS_OLD = VERSION.startswith("0.")
EPOCH_2011 = 1_293_840_000

DERIVATIONS = ("django-concat", "concat", "hmac", "none")
DIGESTS = ("sha1", "sha256", "sha384", "sha512")
# the class, whether it signs a time, and the salt that it has when none is given
KINDS = {
    "Signer": (False, "itsdangerous.Signer"),
    "TimestampSigner": (True, "itsdangerous.Signer"),
    "URLSafeSerializer": (False, "itsdangerous"),
    "URLSafeTimedSerializer": (True, "itsdangerous"),
}
SEPARATORS = (":", "|", "--.", "..", "~", "+", "a.b", "=/")
TEXTS = {
    "empty": "",
    "separators": "..a.b:c|d--.e..f~g+h.",
    "symbols": "!#$%&'()*+-./:<=>?@[]^_`{|}~",
    "digits": "1234567890.1700000000",
    "long": "item-" * 120,
}
OBJECTS = {
    "empty": {},
    "text": "plain",
    "unicode": {"näme": "Zoë 日本語 😀"},
    "controls": {"text": "\u0000\u001f\u2028\"\\;,"},
    "nested": {"cart": [{"sku": "a", "n": 2}, {"sku": "b", "n": None}], "f": 1.5, "ok": True},
    "long": {"log": ["item"] * 60},
}
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak", "bytes")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    rows.save(options.out / (NAME + ".jsonl"), [row(*case, options.seed) for case in cases()])


def cases():
    """Of each row: its name, the class, the class's options, and what is signed (None: something random)."""
    for kind in KINDS:
        yield "default-" + kind, kind, {}, None
    kinds = list(KINDS)
    for i, derivation in enumerate(DERIVATIONS):
        for j, digest in enumerate(DIGESTS):
            options = {"key_derivation": derivation, "digest": digest, "salt": None}
            yield "%s-%s" % (derivation, digest), kinds[(i + j) % 4], options, None
    for i, sep in enumerate(SEPARATORS):
        yield "sep-%d" % i, kinds[i % 4], {"sep": sep}, None
        yield "sep-%d-text" % i, kinds[i % 2], {"sep": sep}, TEXTS["separators"]
    for name, text in TEXTS.items():
        yield "text-" + name, "Signer", {}, text
        yield "timed-text-" + name, "TimestampSigner", {}, text
    for i, (name, given) in enumerate(OBJECTS.items()):
        yield "object-" + name, kinds[2 + i % 2], {"salt": "päth/to:the salt"}, given


def row(case, kind, options, given, seed):
    row_id = "%s-%s" % (NAME, case)
    rng = rows.seeded(seed, row_id)
    timed, default_salt = KINDS[kind]
    options = {name: "salt." + rows.word(rng, 4) if option is None else option for name, option in options.items()}
    style = rng.choice(STYLES)
    key, other_key = rows.secret(rng, style), rows.secret(rng, style)
    signed_at = rng.randrange(EARLIEST, LATEST)
    given = something(kind, rng) if given is None else given
    value, other_value = (signed(kind, k, options, given, signed_at) for k in (key, other_key))

    def read(text, under=key):
        return unsigned(kind, under, options, text, signed_at + 60)

    assert read(value) == [given] and read(other_value, other_key) == [given], row_id
    assert read(value, other_key) is None, "%s is accepted under the other key" % row_id
    return {
        "id": row_id, "framework": "itsdangerous " + VERSION, "config": config(kind, options), "cookie": "session",
        **rows.key_fields(key, other_key), "value": value, "other_value": other_value,
        "signed_at": signed_at if timed else None, "now": signed_at + 60, "payload": given,
        **spellings(value, options.get("sep", "."), timed, strays(kind, key, options, given, signed_at, other_value),
                    lambda text: read(text) is not None, rows.ALL if "sep" in options or not options else 8, rng),
        "notes": {"kind": kind, "salt": options.get("salt", default_salt)},
    }


def something(kind, rng):
    text = rows.word(rng, rng.randrange(1, 40), rows.LETTERS + "-_.:|")
    return text if kind.endswith("Signer") else {"user_id": rng.randrange(10 ** 6), "name": text}


def strays(kind, key, options, given, signed_at, other_value):
    """Texts rightly signed for something else."""
    other = lambda **more: signed(kind, key, {**options, **more}, given, signed_at)
    derivation = "hmac" if options.get("key_derivation") != "hmac" else "concat"
    found = {"under the other key": other_value, "other derivation": other(key_derivation=derivation)}
    if options.get("key_derivation") != "none":
        found["other salt"] = other(salt="another")
    # serializers of 1.x still read what 1.0.0 signed with SHA-512
    if options.get("digest") != "sha384":
        found["other digest"] = other(digest="sha384")
    if KINDS[kind][0]:
        found["a second later"] = signed(kind, key, options, given, signed_at + 1).rsplit(
            options.get("sep", "."), 1)[0] + options.get("sep", ".") + other().rsplit(options.get("sep", "."), 1)[1]
    return found


def config(kind, options):
    timed, default_salt = KINDS[kind]
    defaults = {"salt": "itsdangerous.Signer", "key_derivation": "django-concat", "digest": "sha1", "sep": "."}
    chosen = {"salt": default_salt, **options}
    return {"format": "itsdangerous", **{name: option for name, option in chosen.items() if option != defaults[name]},
            **({} if timed else {"timestamp": False}), **({"epoch": EPOCH_2011} if IS_OLD and timed else {})}


def signer(kind, key, options):
    """The object that signs; a serializer passes what is the signer's on to it."""
    names = {"digest": "digest_method"}
    given = {names.get(name, name): getattr(hashlib, option) if name == "digest" else option
             for name, option in options.items()}
    made = getattr(itsdangerous, kind)
    if kind.endswith("Signer"):
        return made(key, **given)
    salt = {"salt": given.pop("salt")} if "salt" in given else {}
    return made(key, **salt, signer_kwargs=given)


def signed(kind, key, options, given, signed_at):
    with moment(signed_at):
        made = signer(kind, key, options)
        text = made.sign(given.encode()) if kind.endswith("Signer") else made.dumps(given)
    return text.decode() if isinstance(text, bytes) else text


def unsigned(kind, key, options, text, now):
    """What is read at that time, in a list of one; None where the text is refused."""
    made = signer(kind, key, options)
    limit = {"max_age": 3600} if KINDS[kind][0] else {}
    with moment(now):
        try:
            return [made.unsign(text, **limit).decode() if kind.endswith("Signer") else made.loads(text, **limit)]
        except itsdangerous.BadData:
            return None


if __name__ == "__main__":
    main()
