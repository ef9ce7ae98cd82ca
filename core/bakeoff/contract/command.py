"""The command that a session was started with, as it may be stored: without what is secret in it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable

from bakeoff.credentials import HIDDEN, hide_credentials, names_a_secret


def command_of(arguments: Iterable[str], secrets: Collection[str]) -> str:
    """As a shell takes it; what the environment adds to every call of pytest stands in it.

    Args:
        arguments: What pytest was called with.
        secrets: ``ENGINE.NAME`` of settings that nobody is to see.
    """
    added = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return shlex.join(["pytest", *(_shown(word, secrets) for word in (*added, *arguments))])


def _shown(word: str, secrets: Collection[str]) -> str:
    option, equals, rest = word.partition("=") if word.startswith("--") else ("", "", word)
    name, is_, value = rest.partition("=")
    if is_ and value and (name in secrets or names_a_secret(name)):
        rest = f"{name}={HIDDEN}"
    elif is_ and "://" in value:
        rest = f"{name}={hide_credentials(value)}"
    elif "://" in rest:
        rest = hide_credentials(rest)
    return f"{option}{equals}{rest}"
