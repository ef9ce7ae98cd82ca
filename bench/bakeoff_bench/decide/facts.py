"""What stored runs say of one contestant, as far as a requirement can ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Measure(StrEnum):
    """What wishes compare; less is better, but for ``rate``."""

    CPU = "cpu"  #: CPU seconds of the whole deployment per 1,000 sagas
    MEMORY = "memory"  #: MB, steady, of the whole deployment
    PROCESSES = "processes"
    SERVERS = "servers"  #: servers to operate
    RECOVERY = "recovery"  #: seconds, median, from the kill of a worker to the end of all in flight
    P95 = "p95"  #: seconds, of completed sagas at the highest open rate that was kept up
    RATE = "rate"  #: sagas per second that were sustained

    @property
    def more_is_better(self) -> bool:
        """Otherwise less is."""
        return self is Measure.RATE

    @property
    def unit(self) -> str:
        """Of its values, in words."""
        return _UNITS[self]

    @property
    def work(self) -> str:
        """The command that would tell."""
        return _WORK.get(self, "bakeoff load --out DIR")


_UNITS = {
    Measure.CPU: "CPU s per 1,000 sagas",
    Measure.MEMORY: "MB",
    Measure.PROCESSES: "processes",
    Measure.SERVERS: "servers",
    Measure.RECOVERY: "s in the median",
    Measure.P95: "s, p95",
    Measure.RATE: "sagas per s",
}
#: Of measures that no load tells.
_WORK = {
    Measure.RECOVERY: "bakeoff crash --fault worker-kill --own-leases --out DIR",
    Measure.SERVERS: "bakeoff run --out DIR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """All kills of one kind.

    Attributes:
        judged, harmed: Kills that were followed to an end, and those of them that did harm.
        upper: Wilson's upper end (95 %) of the share that is harmed; ``None`` without a kill.
        gap: What the engine itself declares against it: moments that no kill may have met; empty: nothing,
            ``None``: unknown.
        short_leases: Leases were shorter than those of the contestant's class: recovery is not its own.
        recovered_s: Seconds of those that were seen to recover; ``unrecovered``: of the others, how many.
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
        reason: Of an absence or of the first failure.
    """

    support: str
    passed: int
    failed: int
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of one contestant; what is not in it is unknown.

    Attributes:
        label: Its name, broker and class: ``celery[valkey, as shipped]``.
        kills: ``{fault: kills}``.
        loads: Open loads, whatever became of them.
        capabilities, promises: ``{capability or test module: what the contract suite says}``.
        servers: Kinds of servers to operate; ``None``: no run tells.
        measures: Values that wishes compare, with where they stand.
        stand_in: Not empty where a server stands in for what production would have: why no failure to
            reach a rate or a latency is one.
    """

    label: str
    kills: Mapping[str, Kills] = field(default_factory=dict)
    loads: Sequence[Load] = ()
    capabilities: Mapping[str, Promise] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)
    servers: Sequence[str] | None = None
    measures: Mapping[Measure, tuple[float, str]] = field(default_factory=dict)
    stand_in: str = ""
