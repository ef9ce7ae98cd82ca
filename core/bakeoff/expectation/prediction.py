"""What is told of a saga before it runs, and what is predicted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bakeoff.outcome import Status
from bakeoff.saga import JSON, Direction

#: ``(kind, step, direction, ordinal)`` of a ledger record; kind ``outcome`` stands for effect or nothing.
Mark = tuple[str, str, Direction, int]

#: ``(step, direction, kind)``: ``effect``, ``nothing``, or ``either`` where a late thread may still act.
Effect = tuple[str, Direction, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What else happens to the saga.

    Attributes:
        signals: Names of the waits whose signal comes (in time).
        declines: Steps that the domain itself declines, whatever the fault plan says.
        input, payloads: What the saga is started with, and ``{wait: payload}`` of signals, for conditions.
            Those also see which elements before them have a result, but not what steps returned.
        skips: Elements whose condition does not hold, where that depends on what a step returned.
        holds: The same for those whose condition holds.
        cancelled_during: Element (or member of a group) during whose first attempt, wait or sleep a cancel
            is requested and acknowledged; ``None`` for no cancel.
    """

    signals: frozenset[str] = frozenset()
    declines: frozenset[str] = frozenset()
    input: JSON = None
    payloads: Mapping[str, JSON] = field(default_factory=dict)
    skips: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    cancelled_during: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The prediction for one saga.

    Attributes:
        status: The terminal status; ``None`` if it never settles (retries without limit, a signal that
            never comes).
        causes: Possible ``(cause type, step)``; several where members of a group fail at the same time,
            step ``""`` where it is not fixed (a cancel). Types: ``BusinessError``, ``UnserialisableError``,
            ``InjectedFault``, ``TimeoutError``, ``WaitTimeout``, ``Cancelled``, ``ConditionError``.
            Empty when completed.
        attempts: ``{(step, direction): recorded attempts}``; a call that is never tried is absent. For a
            saga that never settles only calls that ended are listed.
        faulted: Calls of which at least one attempt failed other than by a decline.
        effects: Ledger entries in order; the members of one inner set come in any order.
        failed_compensations: Steps whose compensation gave up (S4).
        closing: The last record of every call that ends the plan; the saga is settled in the ledger when
            all of them are there.
        ledger_tells: ``False`` where the saga goes on after its last record (it ends with a wait, a timer
            or an unrecorded step): only the engine's word tells that it settled.
        repeats: Attempts that follow their own committed effect, because its outcome was unknown.
        exhausted: The step that gave up and handed over to its escalation; ``None`` if none did.
    """

    status: Status | None
    causes: frozenset[tuple[str, str]] = frozenset()
    attempts: Mapping[tuple[str, Direction], int] = field(default_factory=dict)
    faulted: frozenset[tuple[str, Direction]] = frozenset()
    effects: tuple[frozenset[Effect], ...] = ()
    failed_compensations: frozenset[str] = frozenset()
    closing: frozenset[Mark] = frozenset()
    ledger_tells: bool = True
    repeats: int = 0
    exhausted: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON with sorted lists for sets; ``from_json`` reverses it."""
        return {
            "status": self.status,
            "causes": sorted(self.causes),
            "attempts": [[*call, count] for call, count in self.attempts.items()],
            "faulted": sorted(self.faulted),
            "effects": [sorted(group) for group in self.effects],
            "failed_compensations": sorted(self.failed_compensations),
            "closing": sorted(self.closing),
            "ledger_tells": self.ledger_tells,
            "repeats": self.repeats,
            "exhausted": self.exhausted,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expectation:
        """Reverse of ``to_json``."""
        return cls(
            status=Status(data["status"]) if data["status"] else None,
            causes=frozenset((kind, step) for kind, step in data["causes"]),
            attempts={(step, direction): count for step, direction, count in data["attempts"]},
            faulted=frozenset((step, direction) for step, direction in data["faulted"]),
            effects=tuple(
                frozenset((step, direction, kind) for step, direction, kind in group)
                for group in data["effects"]
            ),
            failed_compensations=frozenset(data["failed_compensations"]),
            closing=frozenset(
                (kind, step, direction, ordinal) for kind, step, direction, ordinal in data["closing"]
            ),
            ledger_tells=data["ledger_tells"],
            repeats=data["repeats"],
            exhausted=data.get("exhausted"),  # a plan of before there were escalations has none
        )
