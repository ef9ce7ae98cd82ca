"""A schedule: one saga per period, and what the saga of a period is called.

Periods are counted from 1970-01-01T00:00:00Z, so everybody who knows the clock knows them, whatever was
restarted in between; Temporal's interval schedules count so. The saga of a period has an id that follows from
schedule and period, and its input is that same id: whatever it needs to know, it finds by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bakeoff.errors import ScheduleRefusedError

#: What every engine and broker accepts inside its own names.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}")
_PERIOD = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SECOND, _LONGEST = timedelta(seconds=1), timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One saga per period.

    Attributes:
        id: Of the schedule; its sagas' ids begin with it.
        saga: Name of the saga.
        every: Length of a period, in whole seconds: ids and Temporal count in them.

    Raises:
        ScheduleRefusedError: For an id or a period that means nothing.
    """

    id: str
    saga: str
    every: timedelta

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ScheduleRefusedError(
                f"schedule {self.id!r}: up to 100 letters, digits, '.', '_', ':', '@', '-', not '-' first"
            )
        if not _SECOND <= self.every <= _LONGEST or self.every % _SECOND:
            raise ScheduleRefusedError(
                f"schedule {self.id}: a period is of whole seconds, at least one and at most ten years, not "
                f"{self.every.total_seconds():g} s"
            )

    def period_at(self, at: float) -> float:
        """Begin of the period in which a moment lies; both in Unix seconds."""
        return at - at % self.every.total_seconds()

    def next_period(self, at: float) -> float:
        """Begin of the first period after a moment; both in Unix seconds."""
        return self.period_at(at) + self.every.total_seconds()

    def saga_id(self, at: float) -> str:
        """Id, and input, of the saga of the period in which a moment lies: ``acme-2026-12-03T00:00:00Z``."""
        begin = datetime.fromtimestamp(round(self.period_at(at)), UTC)
        return f"{self.id}-{begin:%Y-%m-%dT%H:%M:%SZ}"

    def to_json(self) -> dict[str, Any]:
        """As files and memos hold it."""
        return {"id": self.id, "saga": self.saga, "every_s": int(self.every.total_seconds())}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schedule:
        """Reverse of ``to_json``."""
        return cls(id=data["id"], saga=data["saga"], every=timedelta(seconds=data["every_s"]))


def in_short(every: timedelta) -> str:
    """The reverse of ``parse_period``, in the largest unit that fits."""
    seconds = int(every.total_seconds())
    unit = next(unit for unit in reversed(_UNITS) if seconds % _UNITS[unit] == 0 and unit != "w")
    return f"{seconds // _UNITS[unit]}{unit}"


def parse_period(text: str) -> timedelta:
    """Read ``90s``, ``15m``, ``12h``, ``30d`` or ``2w``; ``ScheduleRefusedError`` for anything else."""
    found = _PERIOD.fullmatch(text.strip())
    if not found or not 1 <= (seconds := int(found[1]) * _UNITS[found[2]]) <= _LONGEST.total_seconds():
        raise ScheduleRefusedError(
            f"{text!r} is no period; write a number with s, m, h, d or w, e.g. 30d, from 1s to 3650d"
        )
    return timedelta(seconds=seconds)
