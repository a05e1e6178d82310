"""Makes the vectors anew from the real frameworks, each at its recorded version in an environment of its own.

    python3 tests/vectors/generate/run.py            write tests/vectors/*.jsonl
    python3 tests/vectors/generate/run.py --check    only say whether the files there differ from what would be written
    ... django-5.2.19 django-4.2.30                  only these

Needs Python 3.10 or newer with venv, pip's package index on the first run, and for packages of npm Node 20 and npm's
registry; for Rust's crate cargo, for Yii php. Environments are kept in .tools/.
"""
import argparse
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent
TOOLS = HERE.parents[2] / ".tools"

Source = collections.namedtuple("Source", "name requirements script")


def django(version, *more):
    return Source("django-" + version, ("Django==" + version, *more), "from_django.py")


# What the standard library no longer has and an old Django still imports.
DISTUTILS = 'setuptools==80.9.0; python_version >= "3.12"'
CGI = 'legacy-cgi==2.6.4; python_version >= "3.13"'

SOURCES = [
    django("2.2.28", DISTUTILS, CGI),
    django("3.0.14", DISTUTILS, CGI),
    django("3.1.14", DISTUTILS, CGI),
    django("3.2.25", DISTUTILS, CGI),
    django("4.2.30"),
    django("5.2.12"),
    django("5.2.19"),
    Source("fernet-50.0.2", ("cryptography==50.0.2", "aiohttp_session==2.12.1", "aiohttp==3.14.5"), "from_fernet.py"),
    Source("iron-7.0.1", ("@hapi/iron@7.0.1", "@hapi/statehood@8.2.1", "iron-session@8.0.4", "iron-webcrypto@1.2.1"),
           "from_iron.mjs"),
    Source("iron-session-9.0.1", ("iron-session@9.0.1", "iron-webcrypto@2.0.0"), "from_iron.mjs"),
    Source("authjs-0.41.3", ("@auth/core@0.41.3", "jose@6.2.18"), "from_authjs.mjs"),
    Source("nextauth-4.24.15", ("next-auth@4.24.15", "jose@4.15.9"), "from_authjs.mjs"),
    Source("h3-1.15.11", ("h3@1.15.11", "iron-webcrypto@1.2.1"), "from_h3.mjs"),
    Source("h3-2.0.8", ("h3@2.0.8",), "from_h3.mjs"),
    Source("fastify-secure-session-8.4.0", ("@fastify/secure-session@8.4.0", "fastify@5.12.8", "sodium-native@5.1.0"),
           "from_secure_session.mjs"),
    Source("pyjwt-2.15.1", ("PyJWT==2.15.1",), "from_pyjwt.py"),
    Source("fastapi-0.165.0", ("fastapi==0.165.0", "PyJWT==2.15.1"), "from_fastapi.py"),
    Source("jsonwebtoken-9.0.3", ("jsonwebtoken@9.0.3", "jws@4.0.1"), "from_jsonwebtoken.mjs"),
    Source("itsdangerous-0.24", ("itsdangerous==0.24",), "from_itsdangerous.py"),
    Source("itsdangerous-1.1.0", ("itsdangerous==1.1.0",), "from_itsdangerous.py"),
    Source("itsdangerous-2.2.0", ("itsdangerous==2.2.0",), "from_itsdangerous.py"),
    Source("flask-3.1.3", ("Flask==3.1.3", "itsdangerous==2.2.0", "Werkzeug==3.1.9"), "from_flask.py"),
    Source("flask-login-0.6.3", ("Flask-Login==0.6.3", "Flask==3.1.3", "Werkzeug==3.1.9"), "from_flask_login.py"),
    Source("litestar-2.25.0", ("litestar==2.25.0", "cryptography==50.0.2"), "from_litestar.py"),
    Source("pyramid-2.1", ("pyramid==2.1", "WebOb==1.8.11", "setuptools==80.9.0"), "from_pyramid.py"),
    Source("starlette-1.10.0", ("starlette==1.10.0", "itsdangerous==2.2.0"), "from_starlette.py"),
    Source("tornado-6.6.1", ("tornado==6.6.1",), "from_tornado.py"),
    Source("bottle-0.12.25", ("bottle==0.12.25", CGI), "from_bottle.py"),
    Source("bottle-0.13.4", ("bottle==0.13.4",), "from_bottle.py"),
    Source("express-5.3.0", (
        "express@5.3.0", "cookie-parser@1.4.7", "express-session@1.19.0", "cookie-signature@1.2.2"), "from_express.mjs"),
    Source("keygrip-1.1.0", (
        "keygrip@1.1.0", "cookies@0.9.2", "koa@3.3.0", "koa-session@7.0.2", "cookie-session@2.1.1"), "from_keygrip.mjs"),
    Source("fastify-cookie-11.1.5", ("@fastify/cookie@11.1.5", "fastify@5.12.8"), "from_fastify_cookie.mjs"),
    Source("hono-4.13.19", ("hono@4.13.19", "better-auth@1.7.25", "better-call@1.4.5"), "from_hono.mjs"),
    Source("react-router-8.5.1", ("react-router@8.5.1", "react@19.3.1", "react-dom@19.3.1"), "from_react_router.mjs"),
    # compiled by cargo, which has the crate: the standard library is enough
    Source("cookie-rs-0.18.2", (), "from_cookie_rs.py"),
    # PHP with the functions that Yii calls
    Source("yii2", (), "from_yii2.py"),
    # the Worker's own: the standard library is enough
    Source("sealed", (), "from_sealed.py"),
]


def main():
    options = arguments()
    sources = [source for source in SOURCES if not options.names or source.name in options.names]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) if options.check else options.out
        differing = [source.name for source in sources if not made(source, out, options)]
    if differing:
        sys.exit("error: these differ from what their framework makes: " + ", ".join(differing))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="sources to run, default all")
    parser.add_argument("--check", action="store_true", help="compare with the files in --out, write nothing")
    parser.add_argument("--out", type=pathlib.Path, default=VECTORS, help="folder of the files, default tests/vectors")
    parser.add_argument("--seed", type=int, default=1, help="of the random parts; the files in tests/vectors have 1")
    options = parser.parse_args()
    unknown = set(options.names) - {source.name for source in SOURCES}
    if unknown:
        parser.error("unknown: %s; known: %s" % (", ".join(sorted(unknown)), ", ".join(s.name for s in SOURCES)))
    return options


def made(source, out, options):
    """Runs one source; False if it was to be compared and differs."""
    print(source.name, end=" ", flush=True)
    interpreter, *more = packages(source) if source.script.endswith(".mjs") else environment(source)
    command = [interpreter, str(HERE / source.script), "--out", str(out), "--seed", str(options.seed), *more]
    run(command, source)
    fresh = rows_by_id(out / (source.name + ".jsonl"))
    print("%d rows" % len(fresh), end="", flush=True)
    differences = compared(rows_by_id(options.out / (source.name + ".jsonl")), fresh) if options.check else []
    print(", as recorded" if options.check and not differences else "")
    for difference in differences:
        print("  " + difference)
    return not differences


def environment(source):
    """The Python of the source's own environment, made where it is missing or was made for something else."""
    if not source.requirements:
        return [sys.executable]
    folder = TOOLS / ("venv-vectors-" + source.name)
    stamp, wanted = folder / "made-for", "\n".join([sys.version, *source.requirements])
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (stamp.exists() and stamp.read_text() == wanted):
        print("(installing)", end=" ", flush=True)
        run([sys.executable, "-m", "venv", "--clear", str(folder)], source)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, *source.requirements], source)
        stamp.write_text(wanted)
    return [str(python)]


def packages(source):
    """Node, and where the source's own packages are, installed where they are missing or others."""
    folder = TOOLS / ("npm-vectors-" + source.name)
    stamp, wanted = folder / "made-for", "\n".join(source.requirements)
    if not (stamp.exists() and stamp.read_text() == wanted):
        print("(installing)", end=" ", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        npm = [shutil.which("npm") or "npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent"]
        run([*npm, *source.requirements], source)
        stamp.write_text(wanted)
    return ["node", "--packages", str(folder)]


def run(command, source):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print()
        sys.exit("error: %s: %s\n%s" % (source.name, " ".join(command), done.stderr or done.stdout))
    if done.stderr:
        print("\n" + done.stderr.rstrip(), flush=True)


def rows_by_id(path):
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").split("\n")
    return {json.loads(line)["id"]: line for line in lines if line}


def compared(recorded, fresh):
    return ["%s is not made any more" % row for row in recorded if row not in fresh] + [
        "%s is %s" % (row, "other" if row in recorded else "not recorded")
        for row in fresh if recorded.get(row) != fresh[row]]


if __name__ == "__main__":
    main()
