"""What every generator shares: random secrets, ways to spoil a signed text, and the file of rows.

Standard library only. Each row draws from a random.Random of its own, seeded by its id,
so a row that is added or left out changes no other row.
"""
import base64
import json
import random
import string

BASE64URL = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
LETTERS = string.ascii_letters + string.digits
ALL = "all"


def seeded(seed, row_id):
    return random.Random("%s:%s" % (seed, row_id))


def word(rng, length, alphabet=LETTERS):
    return "".join(rng.choice(alphabet) for _ in range(length))


def random_bytes(rng, length):
    return bytes(rng.randrange(256) for _ in range(length))


def secret(rng, style):
    """A secret as sites write them: text, or bytes for the style `bytes`."""
    if style == "bytes":
        return b"\xff\x00" + random_bytes(rng, 46)
    if style == "base64":
        return base64.b64encode(random_bytes(rng, 64)).decode()
    if style == "hex":
        return word(rng, 64, "0123456789abcdef")
    if style == "startproject":
        return word(rng, 50, "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)")
    if style == "long":
        return word(rng, 200)
    if style == "unicode":
        return "clé-ключ-鍵-🔑-" + word(rng, 30)
    if style == "weak":
        return word(rng, rng.randrange(8, 24))
    raise ValueError(style)


def key_fields(key, other_key):
    """The row's key fields; bytes go out as base64, both of them, since the encoding is said once."""
    if isinstance(key, str) and isinstance(other_key, str):
        return {"key": key, "other_key": other_key}
    keys = [k.encode() if isinstance(k, str) else k for k in (key, other_key)]
    return {"key": base64.b64encode(keys[0]).decode(), "key_encoding": "base64",
            "other_key": base64.b64encode(keys[1]).decode()}


def spoil(text, sep, timed, rng):
    """Every way to spoil `PAYLOAD sep [TIME sep] MAC` (base64url MAC), by name. None may verify."""
    head, mac = text.rsplit(sep, 1)
    payload, time = head.rsplit(sep, 1) if timed else (head, None)
    middle = len(mac) // 2
    spoiled = {
        "payload changed": sep.join([changed(payload, rng), *([time] if timed else []), mac]),
        "payload one longer": "x" + text,
        "payload one shorter": text[1:],
        "mac's first character": head + sep + other(mac[0]) + mac[1:],
        "mac's middle character": head + sep + mac[:middle] + other(mac[middle]) + mac[middle + 1:],
        "mac's last character": head + sep + mac[:-1] + other(mac[-1]),
        "mac one shorter": text[:-1],
        "mac cut in half": head + sep + mac[:middle],
        "mac one longer": text + "A",
        "mac padded": text + "=",
        "mac empty": head + sep,
        "mac gone": head,
        "mac in swapped case": head + sep + mac.swapcase(),
        "mac after a space": head + sep + " " + mac,
        "mac twice": text + sep + mac,
        "last separator doubled": head + sep + sep + mac,
        "last separator another": head + other_sep(sep) + mac,
        "separators swapped": text.replace(sep, other_sep(sep)),
        "separators percent-encoded": text.replace(sep, percent_encoded(sep)),
        "nothing but the mac": mac,
        "nothing but separators": sep + sep,
    }
    if mac_unused_bits(mac):
        spoiled["mac's unused bits"] = text[:-1] + BASE64URL[BASE64URL.index(mac[-1]) + 1]
    if set(mac) & set("-_"):
        spoiled["mac in the standard alphabet"] = head + sep + mac.translate(str.maketrans("-_", "+/"))
    if timed:
        spoiled["time changed"] = sep.join([payload, time[:-1] + other_digit(time[-1]), mac])
        spoiled["time led by a zero"] = sep.join([payload, "0" + time, mac])
        spoiled["time gone"] = payload + sep + mac
        spoiled["time and payload swapped"] = sep.join([time, payload, mac])
        spoiled["time and mac swapped"] = sep.join([payload, mac, time])
    return {name: value for name, value in spoiled.items() if value != text}


def spoil_text(text, rng):
    """A text changed in ways that ask for no layout, by name. None may verify."""
    at, cut = rng.randrange(len(text)), rng.randrange(1, len(text))
    spoiled = {
        "first character": other(text[0]) + text[1:],
        "a character": text[:at] + other(text[at]) + text[at + 1:],
        "last character": text[:-1] + other(text[-1]),
        "one longer in front": "x" + text,
        "one longer": text + "0",
        "one shorter in front": text[1:],
        "one shorter": text[:-1],
        "cut": text[:cut],
        "turned": text[cut:] + text[:cut],
        "a character gone": text[:at] + text[at + 1:],
        "a character twice": text[:at] + text[at:at + 1] + text[at:],
        "padded": text + "=",
        "in upper case": text.upper(),
        "in lower case": text.lower(),
        "twice": text + text,
    }
    return {name: value for name, value in spoiled.items() if value != text}


def mac_unused_bits(mac):
    """Whether the last character's successor decodes to the same bytes, as a lenient reader would take it."""
    used = {2: 2, 3: 4}.get(len(mac) % 4)
    return used is not None and BASE64URL.index(mac[-1]) % (1 << (6 - used)) == 0


def changed(payload, rng):
    if not payload:
        return "x"
    at = rng.randrange(len(payload))
    return payload[:at] + other(payload[at]) + payload[at + 1:]


def other(character):
    return "A" if character != "A" else "B"


def other_digit(digit):
    return "0" if digit != "0" else "1"


def other_sep(sep):
    return "." if sep != "." else ":"


def percent_encoded(sep):
    return "".join("%%%02X" % ord(character) for character in sep)


def chosen(tampered, keep, rng):
    """The tampered values that go into the row, `keep` of them: all, or so many taken at random."""
    names = list(tampered)
    while keep != ALL and len(names) > keep:
        names.pop(rng.randrange(len(names)))
    return list(dict.fromkeys(tampered[name] for name in names))


def save(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
