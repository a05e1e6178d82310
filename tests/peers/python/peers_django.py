"""Runs Django's tests with the Worker between client and site, and tells what became of each.

Three seams, so that no test has to be edited:
- what a client sends goes over the wire, and its cookies are what came back from there (django_client.py);
- a client that looks into its own session, or logs in past the site, sees and stores cookies as the site would have
  received and sent them (django_cookies.py);
- a cookie that a test sets on a response without any client goes to a browser and comes back: what the test reads is
  what the site would receive (django_cookies.py).
"""

from unittest import TextTestResult

import django_client
import django_cookies
from django.test.runner import DiscoverRunner
from outcomes import Outcomes
from wire import WIRE

OUTCOMES = Outcomes(WIRE)


class Runner(DiscoverRunner):
    def setup_test_environment(self, **kwargs):
        super().setup_test_environment(**kwargs)
        if WIRE:
            django_client.put_between()
            django_cookies.put_between()

    def get_resultclass(self):
        return Result

    def run_tests(self, *args, **kwargs):
        try:
            return super().run_tests(*args, **kwargs)
        finally:
            OUTCOMES.write()


class Result(TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        OUTCOMES.started()

    def addSuccess(self, test):
        super().addSuccess(test)
        OUTCOMES.ended(test.id(), "passes")

    def addError(self, test, err):
        super().addError(test, err)
        OUTCOMES.ended(test.id(), "fails", _why(err))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        OUTCOMES.ended(test.id(), "fails", _why(err))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            OUTCOMES.ended(test.id(), "fails", f"{subtest}: {_why(err)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        OUTCOMES.ended(test.id(), "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        OUTCOMES.ended(test.id(), "fails as expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        OUTCOMES.ended(test.id(), "passes unexpectedly")


def _why(err):
    kind, value, _ = err
    return f"{kind.__name__}: {value}"[:600]
