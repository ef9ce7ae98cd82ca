"""Faults of the domain, deterministic: what each attempt of each call is to suffer.

A behaviour is a word:

    ok               nothing
    decline          the service says no (``BusinessError``), nothing applied
    fault            fails before the effect
    unknown          the effect is applied, then the call fails: nobody knows
    slow:SECONDS     sleeps before the effect
    late:SECONDS     the effect is applied, then sleeps
    unserialisable   returns something that JSON cannot carry

Which attempt suffers what is told by a ``Fate`` per call, either written down for one saga (tests) or
drawn from a seeded hash of the workflow id (``Profile``). Attempts are counted in the service
database, so a redelivered message cannot start them again from one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict


class Fate(TypedDict, total=False):
    """Behaviours of one call: ``first`` by attempt ordinal, then ``then`` (default ``"ok"``) for ever."""

    first: list[str]
    then: str


def behaviour(fate: Fate | None, ordinal: int) -> str:
    """The behaviour of attempt number ``ordinal`` (1-based)."""
    if not fate:
        return "ok"
    first = fate.get("first", [])
    return first[ordinal - 1] if ordinal <= len(first) else fate.get("then", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Shares of sagas, in per mille, that suffer each kind of fault; see ``docs/domain-faults.md``.

    Attributes:
        seed: Of the hash.
        declines: ``{step: per mille}`` declined at that step.
        broken: ``{step: per mille}`` whose every attempt at that step fails.
        transient: Per mille of (saga, step) pairs whose first one or two attempts fail.
        unknown: Per mille of pairs whose first attempt has its effect and then fails.
        slow: Per mille of pairs whose first attempt takes a quarter of the step's timeout.
        too_slow: Per mille of pairs whose first attempt takes four times the step's timeout.
    """

    seed: int = 1
    declines: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, int] = field(default_factory=dict)
    transient: int = 0
    unknown: int = 0
    slow: int = 0
    too_slow: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``Profile(**data)`` reverses it."""
        return asdict(self)

    def fate(self, workflow_id: str, step: str, timeout_s: float) -> Fate | None:
        """Draw the fate of a step's action; compensations are spared. First match wins."""

        def drawn(kind: str) -> int:
            text = f"{self.seed}:{workflow_id}:{kind}:{step}".encode()
            return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % 1000

        declined, broken = self.declines.get(step, 0), self.broken.get(step, 0)
        if declined and drawn("decline") < declined:
            return {"then": "decline"}
        if broken and drawn("broken") < broken:
            return {"then": "fault"}
        if self.transient and drawn("transient") < self.transient:
            return {"first": ["fault"] * (1 + drawn("times") % 2)}
        if self.unknown and drawn("unknown") < self.unknown:
            return {"first": ["unknown"]}
        if self.too_slow and drawn("too_slow") < self.too_slow:
            return {"first": [f"slow:{4 * timeout_s}"]}
        if self.slow and drawn("slow") < self.slow:
            return {"first": [f"slow:{timeout_s / 4}"]}
        return None


#: What ``bakeoff run`` uses: every kind of fault occurs among 200 orders.
USUAL = {
    "declines": {"charge_payment": 40, "authorize_payment": 40},
    "broken": {"create_shipment": 20, "send_confirmation": 15},
    "transient": 25,
    "unknown": 12,
    "slow": 10,
    "too_slow": 3,
}
