"""The words of the fault plan (``docs/domain-faults.md``), read a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.saga import Saga

#: ``{"first": [word of attempt 1, ...], "then": word of all later attempts}``.
FatePlan = Mapping[str, Any]


def drawn_fates(profile: Mapping[str, Any], workflow_id: str, saga: Saga) -> dict[str, FatePlan]:
    """Draw the fates of one saga from a seeded profile; ``docs/domain-faults.md`` specifies the hash."""
    fates: dict[str, FatePlan] = {}
    for step in saga.steps():
        fate = _drawn(profile, workflow_id, step.name, step.timeout.total_seconds())
        if fate is not None:
            fates[f"{step.name}:action"] = fate
    return fates


def _drawn(profile: Mapping[str, Any], workflow_id: str, step: str, timeout_s: float) -> FatePlan | None:
    def number(kind: str) -> int:
        digest = hashlib.sha256(f"{profile['seed']}:{workflow_id}:{kind}:{step}".encode()).hexdigest()
        return int(digest[:16], 16) % 1000

    plans: list[tuple[str, int, FatePlan]] = [
        ("decline", profile.get("declines", {}).get(step, 0), {"then": "decline"}),
        ("broken", profile.get("broken", {}).get(step, 0), {"then": "fault"}),
        ("transient", profile.get("transient", 0), {"first": ["fault"] * (1 + number("times") % 2)}),
        ("unknown", profile.get("unknown", 0), {"first": ["unknown"]}),
        ("too_slow", profile.get("too_slow", 0), {"first": [f"slow:{timeout_s * 4}"]}),
        ("slow", profile.get("slow", 0), {"first": [f"slow:{timeout_s / 4}"]}),
    ]
    return next((plan for kind, share, plan in plans if number(kind) < share), None)


def word_of(fate: FatePlan | None, ordinal: int) -> str:
    """The behaviour of attempt ``ordinal`` (1-based)."""
    if fate is None:
        return "ok"
    first: Sequence[str] = fate.get("first", ())
    return str(first[ordinal - 1] if ordinal <= len(first) else fate.get("then", "ok"))


def goes_well(word: str, timeout_s: float) -> bool:
    """Whether an attempt of this word succeeds within its timeout."""
    kind, _, seconds = word.partition(":")
    return kind == "ok" or (kind in ("slow", "late") and float(seconds) < timeout_s)


def endless(fate: FatePlan | None, ordinal: int) -> bool:
    """Every later attempt suffers the same as the one that just failed."""
    return ordinal > len((fate or {}).get("first", ()))
