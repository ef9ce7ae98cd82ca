"""The command that made a run, as it may be stored and shown: without what is secret in it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import cache

from bakeoff.credentials import hide_credentials, hide_in_word
from bakeoff.plugins import Plugins


def command_line() -> str:
    """Of this process."""
    return shown(["bakeoff", *sys.argv[1:]])


def shown(words: Sequence[str]) -> str:
    """These words as a shell takes them, their secrets and credentials hidden."""
    return shlex.join(hidden(words))


def hidden(words: Sequence[str]) -> list[str]:
    """The same words without what is secret in them."""
    return [hide_in_word(word, _secrets()) for word in words]


def shown_again(text: str) -> str:
    """A stored command; an earlier bakeoff hid nothing in it."""
    try:
        return shown(shlex.split(text))
    except ValueError:  # no words of a shell
        return hide_credentials(text)


@cache
def _secrets() -> frozenset[str]:
    """``ENGINE.NAME`` of every setting that is declared to be one."""
    found = set()
    for engine in Plugins().engine_names():
        try:
            declared = Plugins().engine(engine).info().settings
        except Exception:  # one that cannot be loaded has been complained of elsewhere
            continue
        found |= {f"{engine}.{one.name}" for one in declared if one.secret}
    return frozenset(found)
