"""What the rounds say about the targets, in three values: met, missed, or it cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bakeoff_bench.significance import Paired, paired

Pair = tuple[float, float]


class Word(StrEnum):
    """What can be said about a target."""

    MET = "met"
    MISSED = "MISSED"
    UNKNOWN = "cannot tell"  #: the interval lies on both sides of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the ratio adapter / native of one quantity should be.

    Attributes:
        name: Of the field of ``turn.Window``.
        title: For tables.
        most: The ratio may be at most this; ``None`` where more is better.
        least: The ratio should be at least this; ``None`` where less is better.
        low_at_least: The interval's lower end, beside ``least``.
    """

    name: str
    title: str
    most: float | None = None
    least: float | None = None
    low_at_least: float | None = None

    def __str__(self) -> str:
        if self.most is not None:
            return f"<= {self.most:.2f}"
        return f">= {self.least:.2f}, from >= {self.low_at_least:.2f}"


CPU = Target(name="cpu_ms", title="CPU per saga", most=1.05)
THROUGHPUT = Target(name="per_s", title="throughput", least=0.97, low_at_least=0.90)
IDLE = Target(name="idle_p50_ms", title="idle p50", most=1.05)
TARGETS = (CPU, THROUGHPUT, IDLE)


def compare(pairs: Sequence[Pair]) -> Paired:
    """Adapter / native over ``(adapter, native)`` of one round each, with its 95 % interval."""
    return paired([adapter for adapter, _ in pairs], [native for _, native in pairs])


def judge(found: Paired, target: Target) -> Word:
    """Hold a ratio against its target.

    Less is better: met if the whole interval is, missed if none of it is. More is better: met if the estimate
    reaches ``least`` and the interval begins at ``low_at_least`` or above, missed if the whole interval is
    below ``least``.
    """
    if found.interval is None:
        return Word.UNKNOWN
    low, high = found.interval
    if target.most is not None:
        if high <= target.most:
            return Word.MET
        return Word.MISSED if low > target.most else Word.UNKNOWN
    assert target.least is not None
    assert target.low_at_least is not None
    if found.ratio >= target.least and low >= target.low_at_least:
        return Word.MET
    return Word.MISSED if high < target.least else Word.UNKNOWN
