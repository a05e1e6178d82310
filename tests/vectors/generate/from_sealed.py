"""Writes sealed.jsonl: values of the Worker's own format, made and read with Python's standard library alone.

No framework writes this format, so that this file is its second implementation: from_sealed.py --out FOLDER [--seed N]
(run.py does that).
"""
import argparse
import base64
import hashlib
import hmac
import pathlib
import re

import rows

NAME = "sealed"
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
# what may stand between `=` and `;` in a site's Set-Cookie
GIVEN = {
    "empty": "",
    "quotes": '""',
    "id": "n7c2vq81t0s5kd93fj4m6p1x2z",
    "python-quoted": '"ada@example.com"',
    "python-escaped": '"caf\\351 \\"x\\" \\054"',
    "bearer": '"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"',
    "json": '{"id":7}',
    "json-spaced": '{"name": "Ada L", "tags": ["a", "b"], "n": null}',
    "commas": "12,15,19",
    "space": "Ada L",
    "tab": "Ada\tL",
    "latin": "Zoë",
    "unicode": "日本語 😀",
    "odd-spaces": "a\u0085\u00a0\u2028b",
    "open-quote": '5" nails',
    "backslash": "a\\b\\",
    "equals": "a=b&c=d==",
    "percent": "%7B%22id%22%3A7%7D",
    "dots": "v1..0.",
    "sealed": None,  # what is sealed already
    "long": "item-" * 160,
}
COOKIES = ("sid", "user", "access_token", "shop-cart.2", "n" * 120)
STYLES = ("bytes", "base64", "hex", "startproject", "long", "unicode", "weak")
TIMES = (0, 1, LATEST)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row("%s-%s-%s" % (NAME, case, style), given, style, options.seed)
            for i, (case, given) in enumerate(GIVEN.items()) for style in (STYLES[i % 7], STYLES[(i + 3) % 7])]
    made += [row("%s-time-%d" % (NAME, time), "7", "hex", options.seed, time) for time in TIMES]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(row_id, given, style, seed, time=None):
    rng = rows.seeded(seed, row_id)
    cookie, key, other_key = rng.choice(COOKIES), rows.secret(rng, style), rows.secret(rng, style)
    signed_at = rng.randrange(EARLIEST, LATEST) if time is None else time
    payload = sealed(key, cookie, signed_at, "inner") if given is None else given
    value, other_value = (sealed(k, cookie, signed_at, payload) for k in (key, other_key))
    assert opened(key, cookie, value) == (payload, signed_at), row_id
    assert opened(other_key, cookie, value) is None, row_id
    tampered = {name: text for name, text in spoiled(key, cookie, signed_at, payload, rng).items() if text != value}
    for name, text in tampered.items():
        assert opened(key, cookie, text) is None, "%s is accepted, tampered (%s): %s" % (row_id, name, text)
    return {
        "id": row_id, "framework": "none", "config": {"format": "sealed"}, "cookie": cookie,
        **rows.key_fields(key, other_key), "value": value, "other_value": other_value, "signed_at": signed_at,
        "now": signed_at + 60, "payload": payload, "tampered": rows.chosen(tampered, 12, rng), "also_accepted": [],
        "notes": {"wire": "plain"},
    }


def spoiled(key, cookie, time, payload, rng):
    """The value spoiled as any text, in each of its parts, and what is rightly signed for something else."""
    value = sealed(key, cookie, time, payload)
    version, text, written, mac = value.split(".")

    def by_hand(signed_time, signed_key=None):
        tag = hmac.digest(signed_key or derived(key), message(cookie, signed_time, payload), hashlib.sha256)
        return ".".join((version, text, signed_time, encoded(tag)))

    parts = rows.spoil(text + "." + written + "." + mac, ".", True, rng)
    found = {
        **{name: "v1." + spoilt for name, spoilt in parts.items()},
        **rows.spoil_text(value, rng),
        "version 2": "v2" + value[2:],
        "version gone": value[3:],
        "version in upper case": "V" + value[1:],
        "payload padded": ".".join((version, text + "=" * (-len(text) % 4 or 1), written, mac)),
        "payload as it is": ".".join((version, payload, written, mac)),
        "a fifth part": value + ".",
        "in quotes": '"%s"' % value,
        "other name": sealed(key, cookie + "x", time, payload),
        "other name in other case": sealed(key, cookie.upper(), time, payload),
        "other time": sealed(key, cookie, time + 1, payload).replace(".%d." % (time + 1), ".%d." % time),
        "time led by a zero": by_hand("0%d" % time),
        "time with a sign": by_hand("+%d" % time),
        "time gone": by_hand(""),
        "time in hexadecimal": by_hand("0x%x" % time),
        "time of 2^64": by_hand("18446744073709551616"),
        "the bare key": by_hand(str(time), octets(key)),
        "another purpose": by_hand(str(time), hmac.digest(octets(key), b"countersign sealed v2", hashlib.sha256)),
    }
    if text and rows.mac_unused_bits(text):
        other = text[:-1] + rows.BASE64URL[rows.BASE64URL.index(text[-1]) + 1]
        found["payload's unused bits"] = ".".join((version, other, written, mac))
    return found


def sealed(key, cookie, time, payload):
    tag = hmac.digest(derived(key), message(cookie, str(time), payload), hashlib.sha256)
    return ".".join(("v1", encoded(payload.encode()), str(time), encoded(tag)))


def opened(key, cookie, value):
    """Payload and time, or None where the value is refused."""
    parts = re.fullmatch(r"v1\.([A-Za-z0-9_-]*)\.(0|[1-9][0-9]*)\.([A-Za-z0-9_-]{43})", value)
    if not parts or len(parts[1]) % 4 == 1 or int(parts[2]) >= 1 << 64:
        return None
    payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    tag = hmac.digest(derived(key), b"\0".join((cookie.encode(), parts[2].encode(), payload)), hashlib.sha256)
    is_good = encoded(payload) == parts[1] and hmac.compare_digest(encoded(tag), parts[3])
    return (payload.decode(), int(parts[2])) if is_good else None


def message(cookie, time, payload):
    return b"\0".join((cookie.encode(), time.encode(), payload.encode()))


def derived(key):
    return hmac.digest(octets(key), b"countersign sealed v1", hashlib.sha256)


def octets(key):
    return key if isinstance(key, bytes) else key.encode()


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


if __name__ == "__main__":
    main()
