"""The real Django as a signer for the tests: one JSON request a line on stdin, one JSON answer a line on stdout."""

import json
import sys
import time
from unittest import mock

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="replaced for each request",
    MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
)
django.setup()

from django.contrib.messages import constants  # noqa: E402
from django.contrib.messages.storage.base import Message  # noqa: E402
from django.contrib.messages.storage.cookie import CookieStorage  # noqa: E402
from django.contrib.sessions.serializers import JSONSerializer  # noqa: E402
from django.core import signing  # noqa: E402
from django.http import HttpRequest, HttpResponse, parse_cookie  # noqa: E402
from django.test import override_settings  # noqa: E402

SESSION_SALT = "django.contrib.sessions.backends.signed_cookies"


def session_signer(ask):
    return signing.TimestampSigner(key=ask["key"], salt=SESSION_SALT, algorithm=ask.get("digest", "sha256"))


def session(ask):
    """What the signed_cookies backend sends for this session."""
    return session_signer(ask).sign_object(ask["data"], serializer=JSONSerializer, compress=True)


def read_session(ask):
    """The session, and the time that its cookie was signed at."""
    data = session_signer(ask).unsign_object(ask["value"], serializer=JSONSerializer)
    return {"data": data, "at": signing.b62_decode(ask["value"].rsplit(":", 2)[1])}


def bare_signer(ask):
    kind = signing.TimestampSigner if ask.get("timestamp", True) else signing.Signer
    return kind(key=ask["key"], sep=ask.get("sep", ":"), salt=ask["salt"], algorithm=ask.get("digest", "sha256"))


def sign(ask):
    return bare_signer(ask).sign(ask["value"])


def unsign(ask):
    return bare_signer(ask).unsign(ask["value"])


def signed_cookie(ask):
    """The value that set_signed_cookie puts on the wire, quotes included."""
    response = HttpResponse()
    response.set_signed_cookie(ask["name"], ask["value"], salt=ask.get("salt", ""))
    return response.cookies[ask["name"]].coded_value


def read_signed_cookie(ask):
    request = HttpRequest()
    request.COOKIES = parse_cookie(f"{ask['name']}={ask['value']}")
    return request.get_signed_cookie(ask["name"], salt=ask.get("salt", ""))


def messages(ask):
    storage, response = CookieStorage(HttpRequest()), HttpResponse()
    storage._store([Message(constants.SUCCESS, text) for text in ask["texts"]], response)
    return response.cookies["messages"].coded_value


def read_messages(ask):
    request = HttpRequest()
    request.COOKIES = parse_cookie(f"messages={ask['value']}")
    return [message.message for message in CookieStorage(request)]


OPERATIONS = {
    view.__name__: view
    for view in (session, read_session, sign, unsign, signed_cookie, read_signed_cookie, messages, read_messages)
}


def answer(ask):
    at = ask.get("at", time.time())
    with override_settings(SECRET_KEY=ask["key"]), mock.patch("time.time", return_value=at):
        try:
            return {"value": OPERATIONS[ask["op"]](ask)}
        except signing.BadSignature as error:
            return {"refused": type(error).__name__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
