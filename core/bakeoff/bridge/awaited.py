"""Events that sagas wait for and no service here emits: somebody else does, or their name is a mistake."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from bakeoff.bridge.commands import services_in
from bakeoff.bridge.relay import rules_of
from bakeoff.registry import load_sagas


def events_of_nobody(references: Iterable[str]) -> list[str]:
    """A line for each of them, of a deployment that loads these references; the errors of ``load_sagas``."""
    names = list(references)
    services = services_in(names).values()
    emitted = {command.event for commands in services for command in commands.values()} - {""}
    lines = []
    for event, rules in sorted(rules_of(load_sagas(names).values()).items()):
        if event in emitted:
            continue
        waiting = ", ".join(dict.fromkeys(saga.name for saga, _ in rules))
        close = difflib.get_close_matches(event, sorted(emitted), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "somebody else must"
        lines.append(f"no service here emits the event {event!r}, awaited by {waiting}; {hint}")
    return lines
