"""Writes cookie-rs-VERSION.jsonl: signed and private cookies of Rust's crate `cookie`, each checked with it.

Needs cargo. cookie_jars.rs is compiled with the crate and asked; the crate's randomness is replaced by a counter, so
that a private cookie is the same each time.
"""
import argparse
import pathlib
import shutil
import subprocess

import rows

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / ".tools"
VERSION = "0.18.2"
NAME = "cookie-rs-" + VERSION
TEXTS = {
    "empty": "", "text": "plain text", "session": "0af1c2d9-8c3c-4c0e-9d93-3f6d4b1f8a11", "number": "4711",
    "json": '{"user_id":4711,"name":"Zoë 日本語 😀"}', "symbols": "!#$&'()*+,/:;=?@[]\"\\|~<>^`{}", "percent": "100%",
    "escaped": "a%20b%2Fc%C3%A9", "spaces": " a b ", "controls": "\0\x1f\t\r\n\x7f", "long": "item-" * 120,
}
COOKIES = ("id", "session", "tower.sid")
KINDS = {"from": 64, "derive_from": 32}
MANIFEST = """[package]
name = "cookie-jars"
version = "0.1.0"
edition = "2021"

[workspace]

[dependencies]
cookie = { version = "=%s", features = ["percent-encode", "signed", "private", "key-expansion"] }

[patch.crates-io]
rand = { path = "rand" }
"""
RAND_MANIFEST = """[package]
name = "rand"
version = "0.8.99"
edition = "2021"

[features]
default = []
std = []
std_rng = []
getrandom = []
"""
RAND = """use std::sync::atomic::{AtomicU8, Ordering};
static COUNT: AtomicU8 = AtomicU8::new(0);
pub struct Counter;
pub trait RngCore { fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), std::fmt::Error>; }
impl RngCore for Counter {
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), std::fmt::Error> {
        bytes.fill_with(|| COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(101));
        Ok(())
    }
}
pub fn thread_rng() -> Counter { Counter }
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    program = compiled()
    made = []
    for jar in ("signed", "private"):
        for kind in KINDS:
            for encoded in (True, False):
                for case, given in [*TEXTS.items(), ("random-0", None), ("random-1", None)]:
                    case = "-".join([jar, kind, "encoded" if encoded else "raw", case])
                    if encoded or given is None or stands(given):
                        made.append(row(case, jar, kind, encoded, given, options.seed, program))
    rows.save(options.out / (NAME + ".jsonl"), made)


def compiled():
    folder = TOOLS / ("cargo-vectors-" + NAME)
    for path, text in {"Cargo.toml": MANIFEST % VERSION, "src/main.rs": (HERE / "cookie_jars.rs").read_text(),
                       "rand/Cargo.toml": RAND_MANIFEST, "rand/src/lib.rs": RAND}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
    subprocess.run([shutil.which("cargo") or "cargo", "build", "--quiet"], cwd=folder, check=True)
    return folder / "target/debug/cookie-jars"


class Jars:
    """The crate under one key, for one cookie. Each has a process of its own, whose randomness begins anew."""

    def __init__(self, program, jar, kind, key, cookie):
        self.asked = (jar, kind + ":" + key.hex(), cookie)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
                                        stderr=subprocess.DEVNULL)

    def answer(self, what, text):
        self.process.stdin.write("\t".join([what, *self.asked, text]) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def sign(self, text):
        encoded, raw = self.answer("sign", text.encode().hex()).split("\t")
        return encoded, bytes.fromhex(raw).decode()

    def read(self, value):
        if "\n" in value or "\t" in value:
            return None
        answer = self.answer("read", value)
        return None if answer == "-" else bytes.fromhex(answer).decode()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def stands(text):
    """Whether a header can hold the text as it is, and it is read as what it is."""
    return all("!" <= character <= "~" and character not in '",;\\%' for character in text)


def row(case, jar, kind, encoded, given, seed, program):
    row_id = NAME + "-" + case
    rng = rows.seeded(seed, row_id)
    length = KINDS[kind] + rng.choice([0, 0, 1, 40])
    key, other_key, cookie = rows.random_bytes(rng, length), rows.random_bytes(rng, length), rng.choice(COOKIES)
    given = rows.word(rng, rng.randrange(1, 40), rows.LETTERS + "-_.:/=") if given is None else given
    own, others, renamed = (Jars(program, jar, kind, k, name) for k, name in
                            ((key, cookie), (other_key, cookie), (key, "other")))
    value, spelled = own.sign(given)[::1 if encoded else -1]
    other_value = others.sign(given)[0 if encoded else 1]
    assert own.read(value) == given and others.read(other_value) == given, row_id
    assert others.read(value) is None and own.read(other_value) is None, row_id
    assert (renamed.read(value) is None) == (jar == "private"), row_id
    raw = own.sign("x")[1]
    spoiled = {**rows.spoil_text(value, rng), **strays(own.sign(given)[1], raw, jar), "under the other key": other_value,
               "for another name": renamed.sign(given)[0] if jar == "private" else ""}
    # no header shows a value with a semicolon
    spoiled = {name: text for name, text in spoiled.items() if ";" not in text and own.read(text) is None}
    also = [spelled] if stands_raw(spelled) and own.read(spelled) == given else []
    found = {
        "id": row_id, "framework": "cookie " + VERSION,
        "config": {"format": "cookie-rs", **({} if jar == "signed" else {"jar": jar}),
                   **({"derive": True} if kind == "derive_from" else {}), **({} if encoded else {"encoded": False})},
        "cookie": cookie, "key": rows.base64.b64encode(key).decode(), "key_encoding": "base64",
        "other_key": rows.base64.b64encode(other_key).decode(), "value": value,
        "other_value": other_value if jar == "signed" else None, "signed_at": None, "payload": given,
        "tampered": rows.chosen(spoiled, rows.ALL, rng),
        "also_accepted": [text for text in [*also, lowered(value), percent_encoded(value)]
                          if text != value and own.read(text) == given],
    }
    for one in (own, others, renamed):
        one.end()
    return found


def strays(text, another, jar):
    """The text as the jar writes it, changed in each of its parts."""
    if jar == "private":
        middle = len(text) // 2
        return {"nonce": rows.other(text[0]) + text[1:], "cipher": text[:middle] + rows.other(text[middle]) + text[middle + 1:],
                "nonce of another": another[:16] + text[16:], "unpadded": text.rstrip("=") if text.endswith("=") else "",
                "in URL-safe base64": text.translate(str.maketrans("+/", "-_")) if set("+/") & set(text) else "",
                "nonce alone": text[:16], "nonce and tag": text[:16] + text[-24:]}
    digest, value = text[:44], text[44:]
    return {"digest": rows.other(digest[0]) + digest[1:] + value, "digest's unused bits": digest[:42] + bumped(digest[42]) + "=" + value,
            "digest unpadded": digest[:43] + value, "digest behind": value + digest, "digest alone": digest,
            "digest of another": another[:44] + value, "value alone": value, "value longer": text + "x",
            "value's first": digest + "x" + value, "in URL-safe base64": digest.translate(str.maketrans("+/", "-_")) + value,
            "a dot between": digest + "." + value}


def bumped(letter):
    """The letter that says the same but for its last unused bit."""
    alphabet = rows.string.ascii_uppercase + rows.string.ascii_lowercase + rows.string.digits + "+/"
    return alphabet[alphabet.index(letter) ^ 1]


def stands_raw(text):
    return all("!" <= character <= "~" and character not in '",;\\' for character in text)


def lowered(value):
    """The same, its percent sequences in lower case."""
    first, *sequences = value.split("%")
    return "%".join([first, *(sequence[:2].lower() + sequence[2:] for sequence in sequences)])


def percent_encoded(value):
    """Every character of a value that has no percent sign encoded."""
    return value if "%" in value else "".join("%%%02x" % byte for byte in value.encode())


if __name__ == "__main__":
    main()
