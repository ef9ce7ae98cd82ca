"""Steps without a service: what remains is the price of the engine."""

from __future__ import annotations

from bakeoff.saga import JSON, Call


def do_nothing(call: Call) -> JSON:
    """Return at once."""
    return None


def undo_nothing(call: Call) -> JSON:
    """Return at once."""
    return None
