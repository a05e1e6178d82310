"""The uses that Django makes of its signer: each is written and read by Django's own request and response.

A use has `config` (a rule's format as in wrangler.toml), `write` (payload to the text on the wire),
`read` (the text on the wire to the payload, or Refused) and `signer` (the signer that Django uses there,
with one thing changed, to make values that are rightly signed for another purpose).
"""
from django.conf import settings
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage, MessageEncoder
from django.contrib.sessions.middleware import SessionMiddleware
from django.core import signing
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes
from django.utils.safestring import SafeData, mark_safe

from django_wire import (HAS_ALGORITHM, HAS_SIGN_OBJECT, HAS_V2_SALT, READS_BOTH_DIGESTS, Refused, request, sent,
                         setting, spelled, unless_refused, unspelled)


class Use:
    sep, timed, prefixed = ":", True, False

    def __init__(self, cookie, salt, digest="sha256"):
        self.cookie, self.salt, self.digest = cookie, salt, digest

    def config(self, **options):
        config = dict(format=self.format, **options)
        if self.digest != "sha256":
            config["digest"] = self.digest
        return config

    def signer(self, prefixed=None, more_salt="", digest=None, salt=None):
        key = settings.SECRET_KEY
        if self.prefixed if prefixed is None else prefixed:
            key = b"django.http.cookies" + force_bytes(key)
        algorithm = {"algorithm": digest or self.digest} if HAS_ALGORITHM else {}
        salt = (self.salt if salt is None else salt) + more_salt
        return signing.TimestampSigner(key=key, sep=self.sep, salt=salt, **algorithm)

    def strays(self, text):
        """Values signed with this very key, but for another purpose or in another way, by name."""
        head, mac = text.rsplit(self.sep, 1)
        assert self.signer().signature(head) == mac, "the signer is not the one Django used"
        signers = {"for another salt": self.signer(more_salt="x"),
                   "with the key of the other family": self.signer(prefixed=not self.prefixed)}
        if HAS_ALGORITHM:
            digests = ["sha512"] if READS_BOTH_DIGESTS else ["sha1", "sha256", "sha512"]
            signers.update({"with " + digest: self.signer(digest=digest)
                            for digest in digests if digest != self.digest})
        strays = {name: head + self.sep + signer.signature(head) for name, signer in signers.items()}
        payload = head.rsplit(self.sep, 1)[0]
        if self.timed and self.sep not in payload:
            strays["without a time"] = payload + self.sep + self.signer().signature(payload)
        return strays


class Session(Use):
    kind, format = "session", "django-session"

    def __init__(self, cookie, **options):
        super().__init__(cookie, "django.contrib.sessions.backends.signed_cookies", **options)

    def write(self, payload):
        def view(request):
            request.session.update(payload)
            return HttpResponse()
        with setting(SESSION_COOKIE_NAME=self.cookie):
            return sent(SessionMiddleware(view)(request()), self.cookie)

    def read(self, wire):
        sessions = []

        def view(request):
            sessions.append(dict(request.session.items()))
            return HttpResponse()
        with setting(SESSION_COOKIE_NAME=self.cookie):
            SessionMiddleware(view)(request(self.cookie, wire))
        if not sessions[0]:
            raise Refused
        return sessions[0]

    def notes(self, text):
        return {"compressed": text.startswith(".")}


class Messages(Use):
    """Payload: a list of [level, text, extra_tags, is_safe]; the cookie's name is fixed by Django."""
    kind, format, prefixed = "messages", "django-messages", True

    def __init__(self, **options):
        super().__init__("messages", "django.contrib.messages", **options)

    def write(self, payload):
        storage, response = CookieStorage(request()), HttpResponse()
        for level, text, extra_tags, is_safe in payload:
            storage.add(level, mark_safe(text) if is_safe else text, extra_tags)
        assert not storage.update(response), "too long for one cookie"
        return sent(response, "messages")

    def read(self, wire):
        messages = unless_refused(list, CookieStorage(request("messages", wire)))
        if not messages:
            raise Refused
        return [[m.level, m.message, m.extra_tags, isinstance(m.message, SafeData)] for m in messages]

    def notes(self, text):
        layout = "b64(json):ts:sig" if HAS_SIGN_OBJECT else "json:ts:sig"
        return {"layout": layout, "compressed": text.startswith(".")}


class HashMessages(Messages):
    """`HEX$JSON`: what Django before 3.1 wrote, and what 3.1 and 3.2 still read."""
    kind, timed = "messages-hash", False

    def config(self):
        return {"format": "django-messages", "layout": "hash"}

    def write(self, payload):
        if not HAS_ALGORITHM:
            return super().write(payload)
        storage = CookieStorage(request())
        text = MessageEncoder(separators=(",", ":")).encode(
            [storage_message(*message) for message in payload])
        return spelled(storage._legacy_hash(text) + "$" + text)

    def spoiled(self, text):
        mac, json = text.split("$", 1)
        first, last = ("0" if end != "0" else "1" for end in (mac[0], mac[-1]))
        other_salt = salted_hmac("django.contrib.messages" + "signer", json).hexdigest()
        return {
            "payload changed": text.replace("json_message", "jsan_message", 1),
            "payload one longer": text + " ",
            "payload one shorter": text[:-1],
            "payload cut": text[:len(text) // 2],
            "payload spaced": mac + "$ " + json,
            "mac's first character": first + text[1:],
            "mac's last character": mac[:-1] + last + "$" + json,
            "mac one shorter": text[1:],
            "mac one longer": "0" + text,
            "mac in upper case": mac.upper() + "$" + json,
            "mac empty": "$" + json,
            "mac gone": json,
            "mac last": json + "$" + mac,
            "separator another": mac + ":" + json,
            "separator doubled": mac + "$$" + json,
            "for another salt": other_salt + "$" + json,
        }

    def notes(self, text):
        return {"layout": "hexhmac$json"}


class SignedCookie(Use):
    kind, format, prefixed = "signed-cookie", "django-signed-cookie", True

    def __init__(self, cookie, salt="", scheme=None, **options):
        self.user_salt, self.scheme = salt, scheme or ("v2" if HAS_V2_SALT else "v1")
        super().__init__(cookie, self.full_salt(cookie, self.scheme), **options)

    def full_salt(self, cookie, scheme):
        if scheme == "v1":
            return cookie + self.user_salt
        return "django.http.cookies.v2:%d:%s%s" % (len(self.user_salt), self.user_salt, cookie)

    def config(self):
        salt = {"salt": self.user_salt} if self.user_salt else {}
        return super().config(**salt, **({"scheme": "v1"} if self.scheme == "v1" else {}))

    def write(self, payload):
        response = HttpResponse()
        if self.scheme == "v1" and HAS_V2_SALT:
            response.set_cookie(self.cookie, signing.get_cookie_signer(salt=self.salt).sign(payload))
        else:
            response.set_signed_cookie(self.cookie, payload, salt=self.user_salt)
        return sent(response, self.cookie)

    def read(self, wire):
        strict = {"SIGNED_COOKIE_LEGACY_SALT_FALLBACK": self.scheme == "v1"} if HAS_V2_SALT else {}
        with setting(**strict):
            return unless_refused(request(self.cookie, wire).get_signed_cookie, self.cookie, salt=self.user_salt)

    def strays(self, text):
        head = text.rsplit(self.sep, 1)[0]
        strays = super().strays(text)
        salts = {"for another cookie": self.full_salt(self.cookie + "2", self.scheme)}
        if not (HAS_V2_SALT and self.scheme == "v1"):
            salts["for the other scheme"] = self.full_salt(self.cookie, "v1" if self.scheme == "v2" else "v2")
        for name, salt in salts.items():
            strays[name] = head + self.sep + self.signer(salt=salt).signature(head)
        return strays

    def notes(self, text):
        return {"name_bound": True}


class BareSigner(Use):
    """Signer or TimestampSigner on its own, its result set as a cookie."""
    format = "django-signer"

    def __init__(self, cookie, kind, salt=None, sep=":", **options):
        super().__init__(cookie, salt or "django.core.signing." + kind, **options)
        self.kind, self.sep, self.timed = kind, sep, kind == "TimestampSigner"
        algorithm = {"algorithm": self.digest} if HAS_ALGORITHM else {}
        self.own = lambda: getattr(signing, kind)(sep=sep, salt=salt, **algorithm)

    def config(self):
        return super().config(salt=self.salt, **({} if self.timed else {"timestamp": False}),
                              **({} if self.sep == ":" else {"sep": self.sep}))

    def write(self, payload):
        return spelled(self.own().sign(payload))

    def read(self, wire):
        return unless_refused(self.own().unsign, unspelled(wire))

    def notes(self, text):
        return {}


class Dumps(BareSigner):
    """signing.dumps: a TimestampSigner over base64url JSON."""

    def __init__(self, cookie, salt=None, compress=False, **options):
        super().__init__(cookie, "TimestampSigner", salt or "django.core.signing", **options)
        self.kind, self.compress = "dumps", compress

    def write(self, payload):
        return spelled(signing.dumps(payload, salt=self.salt, compress=self.compress))

    def read(self, wire):
        return unless_refused(signing.loads, unspelled(wire), salt=self.salt)

    def notes(self, text):
        return {"compressed": text.startswith(".")}


class SignObject(BareSigner):
    """Signer.sign_object, from Django 3.2: the same without a time."""

    def __init__(self, cookie, compress=False, **options):
        super().__init__(cookie, "Signer", **options)
        self.kind, self.compress = "sign_object", compress

    def write(self, payload):
        return spelled(self.own().sign_object(payload, compress=self.compress))

    def read(self, wire):
        return unless_refused(self.own().unsign_object, unspelled(wire))

    def notes(self, text):
        return {"compressed": text.startswith(".")}


def storage_message(level, text, extra_tags, is_safe):
    return Message(level, mark_safe(text) if is_safe else text, extra_tags)
