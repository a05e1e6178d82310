"""What Django and itsdangerous take to open a value under one key and to seal it under another, in nanoseconds."""

import json
import sys
import timeit
from importlib.metadata import version

import itsdangerous
from django.conf import settings

settings.configure()
from django.core.signing import TimestampSigner  # noqa: E402  (it reads the settings)

LENGTHS, REPEATS = json.loads(sys.argv[1]), int(sys.argv[2])
SALT = "django.contrib.sessions.backends.signed_cookies"
KEYS = ["old-key-of-the-ring-90be77ac13d84f2265", "new-key-of-the-ring-4f1d0a9be5c2773e81"]


def measured(name, open_, seal, value):
    def both():
        seal(open_(value))

    both()
    timer = timeit.Timer(both)
    number, _ = timer.autorange()
    number = max(1, number // 10)
    times = sorted(seconds / number * 1e9 for seconds in timer.repeat(REPEATS, number))
    return {"name": name, "bytes": len(value), "least": times[0], "median": times[len(times) // 2]}


def payload(name, rest):
    return ("eyJ1c2VyIjo0Mn0" * 100)[: int(LENGTHS[name]) - rest]


def main():
    old, new = (TimestampSigner(key=key, salt=SALT) for key in KEYS)
    name = f"Django {version('Django')}, TimestampSigner"
    django = measured(name, old.unsign, new.sign, old.sign(payload("django-session", 51)))
    # Flask's way; what is compared is Countersign's flask-session
    old, new = (itsdangerous.TimestampSigner(key, salt="cookie-session", key_derivation="hmac") for key in KEYS)
    name = f"itsdangerous {version('itsdangerous')}, TimestampSigner"
    flask = measured(name, old.unsign, new.sign, old.sign(payload("flask-session", 35)).decode())
    print(json.dumps([{**django, "format": "django-session"}, {**flask, "format": "flask-session"}]))


main()
