"""What is signed: every case by name, for the Django that is installed."""
import collections
import random

from django_uses import BareSigner, Dumps, HashMessages, Messages, Session, SignedCookie, SignObject
from django_wire import HAS_ALGORITHM, HAS_SIGN_OBJECT, HAS_V2_SALT, READS_BOTH_DIGESTS
from rows import ALL, LETTERS, word

SOME, FEW = 2, 1  # tampered values that a row shows; all are checked
Case = collections.namedtuple("Case", "name use payload key at keep settings")

BACKEND = "django.contrib.auth.backends.ModelBackend"
PUNCTUATION = 'say "hi", 20; back\\slash / (x) [y] {z} <a@b> ?=1'
LATIN1 = "Zoë ñandú ÿ"
YEAR_2106 = 2 ** 32 + 5  # past what 32 bits hold


def case(name, use, payload, key="startproject", at=None, keep=SOME, settings=None):
    return Case(name, use, payload, key, at, keep, settings or {})


def noise(length, alphabet=LETTERS):
    return word(random.Random(length), length, alphabet)


def cases():
    digest = "sha256" if HAS_ALGORITHM else "sha1"
    yield from session_cases(digest)
    yield from message_cases(digest)
    yield from signed_cookie_cases(digest)
    yield from signer_cases(digest)
    yield from dumps_cases(digest)
    if HAS_SIGN_OBJECT:
        yield case("sign-object", SignObject("theme"), {"theme": "dark", "n": 3})
        yield case("sign-object-compressed", SignObject("theme", compress=True), {"log": ["page"] * 40})
    if HAS_V2_SALT:
        yield from legacy_salt_cases()
    if READS_BOTH_DIGESTS:
        yield from sha1_cases()
        yield case("messages-hash", HashMessages(), [message("Profile saved.")], keep=ALL)
        yield case("messages-hash-punctuation", HashMessages(), [message(PUNCTUATION)])


def session_cases(digest):
    def session(name, payload, cookie="sessionid", **options):
        return case("session-" + name, Session(cookie, digest=digest), payload, **options)
    login = {"_auth_user_id": "70", "_auth_user_backend": BACKEND,
             "_auth_user_hash": noise(64, "0123456789abcdef")}
    items = [{"sku": "2GYAlT", "n": 6}, {"sku": "HOztPs", "n": 5}, {"sku": "VsDSJg", "n": 1}]
    cart = {"cart": items, "ok": True, "none": None, "f": 1.5}
    yield session("short", {"user_id": 482941, "name": "de"}, keep=ALL)
    yield session("login", login, key="long")
    yield session("cart", cart, cookie="__Host-session", key="hex")
    yield session("compressed", {"log": ["page"] * 40, "n": 650}, cookie="session_99")
    yield session("not-ascii", {"name": "Zoë – 日本語 🍪", "next": "/?a=1&b=2"}, key="unicode")
    yield session("long", {"blob": noise(700)}, key="weak", keep=FEW)
    yield session("key-bytes", {"user_id": 9}, key="bytes")
    yield session("year-2106", {"user_id": 10}, at=YEAR_2106)


def message(text, level=20, extra_tags="", is_safe=False):
    return [level, text, extra_tags, is_safe]


def message_cases(digest):
    def messages(name, *payload, **options):
        use = Messages(digest=digest) if HAS_ALGORITHM else HashMessages()
        return case(use.kind + "-" + name, use, list(payload), **options)
    yield messages("one", message("Profile saved."), keep=ALL)
    yield messages("two", message("Saved <b>it</b>", 25, is_safe=True),
                   message('Quota at 90%: "careful", ok; yes', 30, "toast"), key="base64")
    yield messages("punctuation", message(PUNCTUATION + "\n$1:2$"), key="weak")
    yield messages("not-ascii", message("Zoë – 日本語 🍪", 40), key="unicode")
    yield messages("many", *[message(noise(length) + " again" * 4) for length in range(8, 16)], keep=FEW)
    yield messages("key-bytes", message("Welcome."), key="bytes")


def signed_cookie_cases(digest):
    def cookie(name, payload, cookie="login", salt="", **options):
        return case("signed-cookie-" + name, SignedCookie(cookie, salt, digest=digest), payload, **options)
    yield cookie("short", "visits-22330")
    yield cookie("salted", "visits-22331", cookie="sid_61", salt="ns-uHQr", key="base64")
    yield cookie("salt-long", "visits-22332", salt="a.salt:of-more than nine", key="hex")
    yield cookie("salt-not-ascii", "visits-22333", salt="süß日本")
    yield cookie("odd-name", "u=1", cookie="__Host-a.b!d", salt="ab", key="weak")
    yield cookie("colons", "user:359:visits:", cookie="_app_session", salt="c")
    yield cookie("like-signed", "x:1ptCvA:" + noise(43))
    yield cookie("empty", "")
    yield cookie("quoted-spaces", "two words / a=b (c) [d] {e} <f@g> ?", cookie="theme")
    yield cookie("quoted-punctuation", PUNCTUATION, cookie="theme", salt="extra.salt")
    yield cookie("quoted-json", '{"user_id": 856511, "name": "admin"}', salt="extra.salt", key="hex")
    yield cookie("quoted-quotes", '"in quotes"', cookie="theme")
    yield cookie("quoted-octal", "a\\054b\\\\c\\", cookie="theme")
    yield cookie("quoted-latin1", LATIN1, cookie="trk", keep=ALL)
    yield cookie("quoted-latin1-salted", "café,\xa0naïve; «x»", cookie="trk", salt="ns-mJ0N", key="unicode")
    yield cookie("quoted-controls", "tab\tline\r\nbell\x07del\x7f", cookie="trk")
    yield cookie("long", noise(1200, LETTERS + "-_."), salt="extra.salt", keep=FEW)
    yield cookie("key-bytes", "visits-22334", key="bytes")


def signer_cases(digest):
    def signer(name, payload, kind, cookie="prefs", keep=SOME, key="startproject", at=None, **options):
        use = BareSigner(cookie, kind, **dict({"digest": digest}, **options))
        return case(kind.lower() + "-" + name, use, payload, keep=keep, key=key, at=at)
    separators = {"Signer": {"tilde": "~", "dot": ".", "two-colons": "::"},
                  "TimestampSigner": {"tilde": "~", "bar": "|", "slash": "/", "two-colons": "::"}}
    digests = {"Signer": ("sha1", "sha384"), "TimestampSigner": ("sha1", "sha512")} if HAS_ALGORITHM else {}
    for kind in ("Signer", "TimestampSigner"):
        yield signer("short", "dark-640428", kind, keep=ALL)
        yield signer("salted", "item:942:bravo", kind, salt="my.salt", key="hex")
        yield signer("salt-not-ascii", "item", kind, salt="süß", key="unicode")
        yield signer("empty", "", kind)
        yield signer("quoted-latin1", LATIN1, kind)
        yield signer("quoted-punctuation", PUNCTUATION, kind, key="base64")
        for name, sep in separators[kind].items():
            first = "ñ" if sep == "~" else "a"
            yield signer("sep-" + name, first + sep + "b:c-120", kind, sep=sep)
        yield signer("sep-overlapping", "ends-in:", kind, sep="::")
        for name in digests.get(kind, ()):
            yield signer(name, "page:577:dark", kind, salt="my.salt", digest=name)
        yield signer("key-bytes", "item:942", kind, key="bytes")
    for at in (1, 61, 62, 2 ** 31, YEAR_2106):
        yield signer("at-%d" % at, "item:942", "TimestampSigner", at=at)


def dumps_cases(digest):
    def dumps(name, payload, **options):
        compress, salt = options.pop("compress", False), options.pop("salt", None)
        return case("dumps-" + name, Dumps("sid", salt, compress, digest=digest), payload, **options)
    yield dumps("object", {"user_id": 749818, "name": "dark"})
    yield dumps("compressed", {"log": ["lang"] * 40}, compress=True, salt="custom.dumps")
    yield dumps("not-compressible", [1, 2, 3], compress=True, key="hex")
    yield dumps("null", None, salt="custom.dumps")
    yield dumps("number", 0)
    yield dumps("not-ascii", {"name": "Zoë – 日本語 🍪"}, key="base64")


def legacy_salt_cases():
    """Cookies from before v2, which a new Django still reads (SIGNED_COOKIE_LEGACY_SALT_FALLBACK)."""
    def cookie(name, payload, salt=""):
        return case("signed-cookie-v1-" + name, SignedCookie("login", salt, "v1"), payload)
    yield cookie("short", "visits-22330")
    yield cookie("salted", "visits-22331", "ns-uHQr")
    yield cookie("quoted-latin1", LATIN1, "extra.salt")


def sha1_cases():
    """Django 3.1 and 3.2 write SHA-1 when the setting says so."""
    for kept in [*session_cases("sha1"), *message_cases("sha1"),
                 *signed_cookie_cases("sha1"), *signer_cases("sha1"), *dumps_cases("sha1")]:
        if kept.name.endswith(("-short", "-one", "-two", "-salted", "-compressed", "cookie-quoted-latin1", "-object")):
            yield kept._replace(name="sha1-" + kept.name, keep=SOME, settings={"DEFAULT_HASHING_ALGORITHM": "sha1"})
