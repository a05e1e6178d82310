"""Writes fastapi-VERSION.jsonl: tokens of PyJWT behind "Bearer " in cookies of the installed FastAPI, each checked with it.

Run it inside a virtual environment that has both: from_fastapi.py --out FOLDER [--seed N]
(run.py does that for the recorded versions).
"""
import argparse
import asyncio
import importlib.metadata
import json
import pathlib

import fastapi
import jwt
from fastapi.security.utils import get_authorization_scheme_param

import rows

VERSION = importlib.metadata.version("fastapi")
NAME = "fastapi-" + VERSION
COOKIE = "access_token"
EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
STYLES = ("base64", "hex", "long")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder for the file")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    made = [row(alg, turn, options.seed) for alg in ("HS256", "HS384", "HS512") for turn in range(6)]
    rows.save(options.out / (NAME + ".jsonl"), made)


def row(alg, turn, seed):
    row_id = "%s-%s-%d" % (NAME, alg, turn)
    rng = rows.seeded(seed, row_id)
    style = rng.choice(STYLES)
    key, other_key = rows.secret(rng, style), rows.secret(rng, style)
    claims = {"sub": rng.choice(["4711", "Zoë 日本語 😀", rows.word(rng, 20)])}
    value, other_value = (written("Bearer " + jwt.encode(claims, k, alg)) for k in (key, other_key))

    def read(text, under=key):
        return asyncio.run(user(text, under, alg))

    assert read(value) == claims["sub"] and read(other_value, other_key) == claims["sub"], row_id
    assert read(value, other_key) is None and read(other_value) is None, row_id
    token = value.strip('"').partition(" ")[2]
    spoiled = {
        **{name: '"Bearer %s"' % text for name, text in rows.spoil(token, ".", False, rng).items()},
        "under the other key": other_value, "without a prefix": token, "another prefix": '"Basic %s"' % token,
        "prefix glued": "Bearer" + token, "prefix twice": '"Bearer Bearer %s"' % token, "empty": '""',
        "no algorithm": written("Bearer " + jwt.encode(claims, None, "none")), "prefix alone": '"Bearer "',
    }
    tampered = {name: text for name, text in spoiled.items() if read(text) is None}
    return {
        "id": row_id, "framework": "FastAPI %s, PyJWT %s" % (VERSION, importlib.metadata.version("pyjwt")),
        "config": {"format": "jwt", **({} if alg == "HS256" else {"alg": alg}), "prefix": "Bearer "}, "cookie": COOKIE,
        "key": key, "other_key": other_key, "value": value, "other_value": other_value, "signed_at": None,
        "payload": claims, "tampered": rows.chosen(tampered, rows.ALL, rng),
    }


def written(text):
    """A value as FastAPI's response sets it."""
    response = fastapi.Response()
    response.set_cookie(COOKIE, text)
    return response.headers["set-cookie"].split("; ")[0].partition("=")[2]


async def user(value, key, alg):
    """Whom a site after FastAPI's guides takes the visitor for."""
    found, sent = fastapi.FastAPI(), []

    @found.get("/")
    def home(access_token: str = fastapi.Cookie("")):
        scheme, token = get_authorization_scheme_param(access_token)
        if scheme != "Bearer":
            return None
        try:
            return jwt.decode(token, key, algorithms=[alg])["sub"]
        except jwt.InvalidTokenError:
            return None

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", ("%s=%s" % (COOKIE, value)).encode())]
    await found({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}, receive, send)
    assert sent[0]["status"] == 200, sent
    return json.loads(sent[1]["body"])


if __name__ == "__main__":
    main()
