"""What stored runs say of one contestant, as far as a requirement can ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bakeoff_bench.decide.measures import Measure, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """All kills of one kind.

    Attributes:
        judged, harmed: Kills that were followed to an end, and those of them that did harm.
        unseen: Kills beside them that landed and were not followed to an end: nobody knows what they did.
        lease_s: The longest lease of the unseen, which a deadline must exceed; ``None``: unknown, or none.
        upper: Wilson's upper end (95 %) of the share that is harmed; ``None`` without a kill.
        gap: What the engine itself declares against it: moments that no kill may have met; empty: nothing,
            ``None``: unknown.
        short_leases: Leases were shorter than those of the contestant's class: recovery is not its own.
        recovered_s: Seconds of those that were seen to recover; ``unrecovered``: of the others, how many. Of
            the kills with the leases of the contestant's class, if there are such.
        evidence: Where it stands.
    """

    judged: int
    harmed: int
    upper: float | None
    recovered_s: Sequence[float]
    unrecovered: int
    evidence: str
    gap: str | None = ""
    short_leases: bool = False
    unseen: int = 0
    lease_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One open load, or all its rounds: what was offered, and what became of it."""

    offered_per_s: float
    p95_s: float | None
    kept_up: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the contract suite says of one promise or capability.

    Attributes:
        support: ``native``, ``pattern`` or ``absent``, as declared; empty for a test module.
        passed, failed: Tests that ask for it.
        unknown: Tests that ask for it and could not be judged, or were not run.
        reason: Of an absence or of the first failure.
        doubt: Why the first of the unknown ones is unknown.
    """

    support: str
    passed: int
    failed: int
    reason: str
    evidence: str
    unknown: int = 0
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of one contestant; what is not in it is unknown.

    Attributes:
        label: Its name, broker and class: ``celery[valkey, as shipped]``.
        kills: ``{fault: kills}``.
        loads: Open loads, whatever became of them.
        capabilities, promises: ``{capability or test module: what the contract suite says}``.
        servers: Kinds of servers to operate; ``None``: no run tells.
        servers_evidence: Where that stands.
        measures: Values that wishes compare.
        stand_in: Not empty where a server stands in for what production would have: why neither reaching a
            rate nor failing to is an answer.
    """

    label: str
    kills: Mapping[str, Kills] = field(default_factory=dict)
    loads: Sequence[Load] = ()
    capabilities: Mapping[str, Promise] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)
    servers: Sequence[str] | None = None
    servers_evidence: str = ""
    measures: Mapping[Measure, Value] = field(default_factory=dict)
    stand_in: str = ""
