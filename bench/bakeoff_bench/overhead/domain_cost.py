"""The price of the services and their ledger, which both sides of every comparison pay."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff_bench.speed.domain import cpu_ms_per_order

#: Milliseconds of CPU per order saga of 11 lines: what it may cost, and what it should.
LIMIT_MS, AIM_MS = 4, 2
_SAGAS, _TRIES = 200, 5


@dataclass(frozen=True, slots=True)
class DomainCost:
    """Milliseconds of CPU per ``order`` saga of 11 lines in one thread without an engine, of each try."""

    tries_ms: Sequence[float]

    @property
    def median_ms(self) -> float:
        """What is told: the least of several tries would be a best case."""
        return statistics.median(self.tries_ms)


def domain_cost() -> DomainCost:
    """Measure it five times."""
    return DomainCost([cpu_ms_per_order(_SAGAS)[0] for _ in range(_TRIES)])
