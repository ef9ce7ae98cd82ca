"""Kills summed up: what came of them, how often, how fast, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome
from bakeoff_bench.run.journal import Row
from bakeoff_bench.significance import Interval, proportion

T = TypeVar("T")

#: Of kills that say nothing about the engine.
_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)

#: For rows that an engine did not settle in time, where its lease is longer than that anyway.
NOT_OBSERVED = "not observed"


@dataclass(frozen=True, slots=True)
class Times:
    """A distribution of seconds after a fault, censored at the deadline.

    Attributes:
        seen_s: What was seen, sorted.
        censored: So many were not over by the deadline.
        never: So many will never be, because the engine has lost the saga.
    """

    seen_s: tuple[float, ...]
    censored: int
    never: int

    @property
    def median_s(self) -> float | None:
        """``None`` if it lies beyond the deadline, or nothing was seen."""
        everything = [*self.seen_s, *[math.inf] * (self.censored + self.never)]
        middle = median(everything) if everything else math.inf
        return None if math.isinf(middle) else middle

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "seen_s": list(self.seen_s),
            "censored": self.censored,
            "never": self.never,
            "median_s": self.median_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """All kills of one contestant that share a fault (and a point).

    Attributes:
        outcomes: ``{outcome: kills}``; ``not observed`` for those whose lease is longer than the deadline.
        landed: Kills whose fault landed.
        judged: Of those, all but the ones that were not observed to their end.
        harmed: Of those, sagas that did not end all-or-nothing.
        harm: Wilson's 95 % interval of their share; ``None`` without a kill that was judged.
        detection, first_progress, recovery: Seconds after the fault.
        documented_s: The contestant's lease by its own settings, as far as it has one.
        deadline_s: Seconds that were waited.
    """

    outcomes: Mapping[str, int]
    landed: int
    judged: int
    harmed: int
    harm: Interval | None
    detection: Times
    first_progress: Times
    recovery: Times
    documented_s: float | None
    deadline_s: float

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "outcomes": dict(self.outcomes),
            "landed": self.landed,
            "judged": self.judged,
            "harmed": self.harmed,
            "harm_wilson_95": self.harm,
            "detection": self.detection.to_json(),
            "first_progress": self.first_progress.to_json(),
            "recovery": self.recovery.to_json(),
            "documented_s": self.documented_s,
            "deadline_s": self.deadline_s,
        }


#: Nobody looks for a lease's end at that very moment, and then there is work to do: share of it, and seconds.
_SLACK, _SLACK_S = 1.1, 2.0


def outcome_word(row: Row) -> str:
    """The outcome of one kill; ``not observed`` where its end, or a repeat, lies beyond the deadline."""
    lease_s = row.get("lease_s")
    too_early = lease_s is not None and _SLACK * lease_s + _SLACK_S > row["deadline_s"]
    unsettled = row["outcome"] == KillOutcome.STUCK and too_early
    unseen = row["outcome"] in (KillOutcome.CLEAN, KillOutcome.RETRIED) and row.get("open", False)
    return NOT_OBSERVED if unsettled or unseen else row["outcome"]


def is_harmful(row: Row) -> bool:
    """Whether the saga did not end all-or-nothing, or the kill proves nothing."""
    word = outcome_word(row)
    return word != NOT_OBSERVED and KillOutcome(word) in HARMFUL


def group(rows: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """``{key: rows}`` in the order in which keys first appear."""
    groups: dict[Any, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def cell_of(rows: Sequence[Row]) -> Cell:
    """Sum up kills of one contestant; there is at least one."""
    landed = [row for row in rows if KillOutcome(row["outcome"]) not in _SILENT]
    judged = [row for row in landed if outcome_word(row) != NOT_OBSERVED]
    harmed = sum(is_harmful(row) for row in judged)
    return Cell(
        outcomes=Counter(outcome_word(row) for row in rows),
        landed=len(landed),
        judged=len(judged),
        harmed=harmed,
        harm=proportion(harmed, len(judged)),
        # A saga that needed no second attempt was not detected late.
        detection=_times([row for row in landed if not _untouched(row)], "detection_s"),
        first_progress=_times(landed, "first_progress_s"),
        recovery=_times(landed, "recovery_s"),
        documented_s=rows[0].get("lease_s"),
        deadline_s=rows[0]["deadline_s"],
    )


def _untouched(row: Row) -> bool:
    return row["detection_s"] is None and row["recovery_s"] is not None


def _times(rows: Sequence[Row], name: str) -> Times:
    seen = sorted(row[name] for row in rows if row[name] is not None)
    never = sum(row[name] is None and row["outcome"] == KillOutcome.LOST for row in rows)
    return Times(tuple(seen), len(rows) - len(seen) - never, never)
