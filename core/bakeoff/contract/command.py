"""The command that a session was started with, as it may be stored: without what is secret in it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable

from bakeoff.credentials import hide_in_word


def command_of(arguments: Iterable[str], secrets: Collection[str]) -> str:
    """As a shell takes it; what the environment adds to every call of pytest stands in it.

    Args:
        arguments: What pytest was called with.
        secrets: ``ENGINE.NAME`` of settings that nobody is to see.
    """
    added = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return shlex.join(["pytest", *(hide_in_word(word, secrets) for word in (*added, *arguments))])
