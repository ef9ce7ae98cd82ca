"""Signals inside a workflow: early ones are kept, repeated ones count once, late ones are refused (S7)."""

from __future__ import annotations

from collections.abc import Iterable

from bakeoff.saga import JSON


class Inbox:
    """What arrived for the waits of one saga, in workflow memory (and so in the event history)."""

    def __init__(self, waits: Iterable[str]) -> None:
        self._open = set(waits)
        self._names = frozenset(self._open)
        self._payloads: dict[str, list[JSON]] = {name: [] for name in self._names}
        self._first: dict[tuple[str, str], str] = {}

    def objection(self, name: str, signal_id: str) -> str | None:
        """Why this signal cannot be accepted; ``None`` if it can, or was accepted before."""
        if name not in self._names:
            return f"no wait is called {name!r}"
        if name not in self._open and (name, signal_id) not in self._first:
            return f"nobody waits for {name!r} any more"
        return None

    def accept(self, name: str, payload: JSON, signal_id: str, token: str) -> str:
        """Keep a signal and return the token of the delivery that counted: another one's for a repeat."""
        first = self._first.setdefault((name, signal_id), token)
        if first == token:
            self._payloads[name].append(payload)
        return first

    def has(self, name: str) -> bool:
        """Whether a signal lies here for this wait."""
        return bool(self._payloads[name])

    def take(self, name: str) -> JSON:
        """Give the first signal to its wait; ``None`` if there is none. The wait is over then."""
        self._open.discard(name)
        payloads = self._payloads[name]
        return payloads.pop(0) if payloads else None

    def close(self) -> None:
        """Nobody will wait any more."""
        self._open.clear()
