"""Signals inside a workflow: early ones are kept, repeated ones count once, late ones are refused (S7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bakeoff.saga import JSON, Element

#: Signal of a saga whose exhausted step could not be undone: it never escalates. No wait can be called so.
ONLY_BACK: Final = "bakeoff:only-back"


class Inbox:
    """What arrived for the waits of one saga; lives in workflow memory and so in the event history."""

    def __init__(self, waits: Iterable[str]) -> None:
        self.belong_to(waits)
        self._arrived: dict[str, JSON] = {}
        self._tokens: dict[str, str] = {}

    def belong_to(self, waits: Iterable[str]) -> None:
        """Be the inbox of these waits; what has arrived stays."""
        self._names = frozenset(waits)
        self._open = set(self._names)

    def objection(self, name: str, signal_id: str) -> str | None:
        """Why this signal cannot be accepted; ``None`` if it can, or if this id was accepted before."""
        if name not in self._names:
            return f"the saga never waits for {name!r}"
        if signal_id in self._tokens:
            return None
        if name not in self._open or name in self._arrived:
            return f"{name!r} came too late"
        return None

    def accept(self, name: str, payload: JSON, signal_id: str, token: str) -> str:
        """Keep a signal; return the token of the delivery that counted: another one's for a repeat."""
        if signal_id not in self._tokens:
            self._tokens[signal_id] = token
            self._arrived[name] = payload
        return self._tokens[signal_id]

    def has(self, name: str) -> bool:
        """Whether a signal lies here for this wait."""
        return name in self._arrived

    def take(self, name: str) -> JSON:
        """End this wait with its signal's payload, or with ``None`` if none came."""
        self._open.discard(name)
        return self._arrived.get(name)

    def leave_out(self, elements: Iterable[Element]) -> None:
        """Nobody will come to the waits among these."""
        self._open.difference_update(element.name for element in elements)

    def close(self) -> None:
        """Nobody will wait any more."""
        self._open.clear()
