"""Which declared settings each capability takes, and how far they are from what is shipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bakeoff.settings import Setting, Value

#: Settings that are there for speed or resources, not for a capability.
TUNING = "tuning"


def declared(settings: Iterable[Setting]) -> list[dict[str, Any]]:
    """Those that serve something, as plain JSON; no address or secret does."""
    return [
        {
            "name": one.name,
            "default": one.default,
            "recommended": one.recommended,
            "serves": [str(promise) for promise in one.serves] or [TUNING],
        }
        for one in settings
        if one.serves or one.tuning
    ]


def by_need(settings: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """``{capability: settings}``, each in words: ``visibility_timeout 3600 -> 60``.

    Args:
        settings: As ``declared`` returns them.
    """
    found: dict[str, list[str]] = {}
    for one in settings:
        for need in one["serves"]:
            found.setdefault(need, []).append(_in_words(one))
    return found


def is_changed(one: Mapping[str, Any]) -> bool:
    """Whether it is recommended otherwise than it is shipped."""
    return bool(one["default"] != one["recommended"])


def _in_words(one: Mapping[str, Any]) -> str:
    if is_changed(one):
        return f"{one['name']} {_value(one['default'])} -> {_value(one['recommended'])}"
    return f"{one['name']} {_value(one['default'])}"


def _value(value: Value) -> str:
    """As ``--set`` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)
