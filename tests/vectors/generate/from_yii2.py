"""Writes yii2.jsonl: cookies signed as Yii 2 does it, by PHP with the functions that Yii calls. Yii itself was read, not run.

Needs php. yii2_cookies.php does what Yii's code does, and is asked.
"""
import argparse
import base64
import json
import pathlib
import shutil
import subprocess

import rows

HERE = pathlib.Path(__file__).resolve().parent
NAME = "yii2"
VALUES = {
    "identity": '["4711","Zs3qk0fVbT1uYwXh2nEo7rLd",2592000]', "text": "plain text", "number": 4711, "flag": True,
    "list": ["a", 2, None], "session": {"id": 4711, "name": "Zoë 日本語 😀"}, "unicode": "Zoë 日本語 😀", "empty": "",
    "symbols": "!#$&'()*+,/:;=?@[]\"\\|~<>^`{}%20", "float": 1.5, "controls": "\0\t\r\n\x1f\x7f", "long": "item-" * 120,
    "like another": '";i:1;s:1:"x";}',
}
COOKIES = ("_identity", "_identity-frontend", "language")
STYLES = ("base64", "hex", "startproject", "long", "unicode", "weak")
DIGESTS = ("sha256", "sha1", "sha512", "sha384", "md5")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    php = subprocess.Popen([shutil.which("php") or "php", str(HERE / "yii2_cookies.php")], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, encoding="utf-8")
    made = [row(php, case, given, "sha256", options.seed) for case, given in VALUES.items()]
    made += [row(php, "random-%d" % turn, None, "sha256", options.seed) for turn in range(12)]
    made += [row(php, "%s-%d" % (digest, turn), None, digest, options.seed) for digest in DIGESTS[1:] for turn in range(2)]
    php.stdin.close()
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(php, case, given, digest, seed):
    row_id = "%s-%s" % (NAME, case)
    rng = rows.seeded(seed, row_id)
    given = rows.word(rng, rng.randrange(1, 40), rows.LETTERS + "-_.:/+ ") if given is None else given
    style, cookie = rng.choice(STYLES), rng.choice(COOKIES)
    key, other_key = rows.secret(rng, style), rows.secret(rng, style)

    def asked(under, name, **question):
        question = {"key": base64.b64encode(under.encode()).decode(), "name": name, "digest": digest, **question}
        php.stdin.write(json.dumps(question) + "\n")
        php.stdin.flush()
        return json.loads(php.stdout.readline())

    def sign(under=key, name=cookie, value=given):
        return asked(under, name, sign=value)

    def read(text, under=key, name=cookie):
        return asked(under, name, read=text)

    value, other_value, renamed = sign(), sign(other_key), sign(name="other")
    assert read(value) == {"found": given} and read(other_value, other_key) == {"found": given}, row_id
    assert read(other_value) is None and read(value, name="other") is None and read(renamed, name="other"), row_id
    length = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}[digest]
    mac, data = value[:length], value[length:]
    spoiled = {
        **rows.spoil_text(value, rng), "under the other key": other_value, "for another name": renamed,
        "mac in upper case": mac.upper() + data, "mac gone": data, "mac behind": data + mac, "mac alone": mac, "empty": "",
        "mac of another": sign(value="x")[:length] + data, "name changed": value.replace(cookie, "x" + cookie[1:]),
        "length changed": value.replace("%3A" + str(len(cookie)), "%3A" + str(len(cookie) + 1)), "cut": value[:-3],
    }
    spoiled = {name: text for name, text in spoiled.items() if ";" not in text and read(text) is None}
    also = [value.replace("%20", "+"), value.replace("%3A", ":").replace("%3D", "="), "%".join(
        part[:2].lower() + part[2:] if at else part for at, part in enumerate(value.split("%")))]
    return {
        "id": row_id, "framework": "Yii 2.0 as read, PHP", "cookie": cookie,
        "config": {"format": "yii2", **({} if digest == "sha256" else {"digest": digest})}, "key": key,
        "other_key": other_key, "value": value, "other_value": other_value, "signed_at": None, "payload": texts(given),
        "tampered": rows.chosen(spoiled, rows.ALL, rng),
        "also_accepted": [text for text in dict.fromkeys(also) if text != value and read(text) == {"found": given}],
        "notes": {"kind": "serialised"},
    }


def texts(given):
    """What can be looked for in a serialisation: its texts."""
    return given if isinstance(given, (str, dict)) else [text for text in given if isinstance(text, str)] \
        if isinstance(given, list) else None


if __name__ == "__main__":
    main()
