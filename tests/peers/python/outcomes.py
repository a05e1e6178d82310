"""What became of each test, as JSON, for the script to compare."""

import json
import os


class Outcomes:
    """`{id: {outcome, why, exchanges, resigned}}` by test, written to the file that the script names."""

    def __init__(self, wire):
        self._wire = wire
        self._tests = {}
        self._before = (0, 0)

    def started(self):
        self._before = self._counts()

    def ended(self, test, outcome, why=""):
        """The first that is told of a test holds, for a subtest that fails also fails its test."""
        exchanges, resigned = (now - before for now, before in zip(self._counts(), self._before))
        self._tests.setdefault(test, {"outcome": outcome, "why": why, "exchanges": exchanges, "resigned": resigned})

    def write(self):
        with open(os.environ["PEERS_OUTCOMES"], "w", encoding="utf-8") as file:
            json.dump(self._tests, file)

    def _counts(self):
        return (self._wire.exchanges, self._wire.resigned) if self._wire else (0, 0)
