"""What the generators for itsdangerous, Flask and Starlette share: a stopped clock, and a value spoiled in every way.

The three write one layout, `PAYLOAD sep [TIME sep] MAC`, and take the MAC in more than one spelling.
"""
import contextlib
import importlib.metadata
import unittest.mock

import rows

EARLIEST, LATEST = 1_600_000_000, 1_800_000_000
# spellings that each reader takes; and what it takes besides, where base64 leaves it room, and Countersign does not
ALSO_ACCEPTED = ("mac padded", "mac's unused bits", "mac's last character")
STRICTER = ("mac in the standard alphabet", "mac after a space")


@contextlib.contextmanager
def moment(seconds):
    with unittest.mock.patch("time.time", return_value=float(seconds)):
        yield


def spellings(value, sep, timed, strays, accepts, keep, rng):
    """The row's `tampered` (`keep` of them) and `also_accepted`: the value spoiled, and `strays` by name.

    Each is asked of the framework.
    """
    spoiled = {name: text for name, text in {**rows.spoil(value, sep, timed, rng), **strays}.items() if text != value}
    accepted = [name for name, text in spoiled.items() if accepts(text)]
    assert set(accepted) <= set(ALSO_ACCEPTED + STRICTER), "%s is accepted: %s" % (value, accepted)
    tampered = {name: text for name, text in spoiled.items() if name not in accepted}
    return {"tampered": rows.chosen(tampered, keep, rng),
            "also_accepted": [spoiled[name] for name in accepted if name in ALSO_ACCEPTED]}


def versions(*names):
    return ", ".join("%s %s" % (name, importlib.metadata.version(name)) for name in names)
