"""Settings of Django's own tests: a session's id stands unsigned in its cookie, and the Worker wraps it."""

from peers_settings import *  # noqa: F403

SESSION_ENGINE = "django.contrib.sessions.backends.db"
