"""Numbers that constraints ask for, moved to where evidence would give another answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.musts import AT_RATE, Carries, Must, Recovers, Survives

#: Significant digits of a number that is proposed: more of them would be the noise of one measurement.
_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One number of a constraint at another value.

    Attributes:
        key: As the file has it.
        value, old: The new one, and what is asked for now.
        must: The constraint with the new one.
    """

    key: str
    value: float
    old: float
    must: Must

    def __str__(self) -> str:
        """As a reader would put it into the file."""
        return f"{self.key} = {self.value:g} instead of {self.old:g} in “{self.must.says}”"


def relaxations(must: Must, everyone: Iterable[Facts]) -> Iterator[Sequence[Moved]]:
    """Of each number of a constraint the values, asking for less, at which somebody's answer may change.

    Between two of them nobody's does. The smallest change comes first; one number is moved at a time. Harm,
    and what was not seen to its end, no value explains away: for such there is none.
    """
    facts = list(everyone)
    match must:
        case Survives():
            kills = [one.kills[must.fault] for one in facts if must.fault in one.kills]
            fewer = sorted({one.judged for one in kills if 0 < one.judged < must.kills}, reverse=True)
            yield [_moved("kills", count, must.kills, replace(must, kills=count)) for count in fewer]
            shares = _above(must.at_most, (one.upper for one in kills if one.upper is not None))
            yield [_moved("at_most", share, must.at_most, replace(must, at_most=share)) for share in shares]
        case Recovers():
            slowest = [
                max(one.kills[must.fault].recovered_s, default=0.0)
                for one in facts
                if must.fault in one.kills
            ]
            times = _above(must.within_s, slowest)
            yield [
                _moved("recovers_within_s", seconds, must.within_s, replace(must, within_s=seconds))
                for seconds in times
            ]
        case Carries():
            loads = [load for one in facts for load in one.loads]
            # What was offered is enough for a higher rate than itself, and tells against a lower one.
            edges = [
                edge for one in loads for edge in (one.offered_per_s / AT_RATE, one.offered_per_s * AT_RATE)
            ]
            rates = _below(must.rate_per_s, edges)
            yield [
                _moved("rate_per_s", rate, must.rate_per_s, replace(must, rate_per_s=rate)) for rate in rates
            ]
            times = _above(must.p95_s, (one.p95_s for one in loads if one.p95_s is not None))
            yield [_moved("p95_s", seconds, must.p95_s, replace(must, p95_s=seconds)) for seconds in times]


def _moved(key: str, value: float, old: float, must: Must) -> Moved:
    return Moved(key=key, value=value, old=old, must=must)


def _above(limit: float, values: Iterable[float]) -> list[float]:
    """Those that are greater, rounded up, ascending."""
    up = Context(prec=_DIGITS, rounding=ROUND_CEILING)
    return sorted({float(up.create_decimal(str(value))) for value in values if limit < value < math.inf})


def _below(limit: float, values: Iterable[float]) -> list[float]:
    """Those that are less, and positive, rounded down, descending; of each one more, which is surely less."""
    down = Context(prec=_DIGITS, rounding=ROUND_FLOOR)
    rounded = {down.create_decimal(str(value)) for value in values if 0 < value < limit}
    return sorted({float(one) for value in rounded for one in (value, down.next_minus(value))}, reverse=True)
