"""The price of the services and their ledger, which both sides of every comparison pay."""

from __future__ import annotations

from bakeoff_bench.speed.domain import cpu_ms_per_order

#: Milliseconds of CPU per order saga of 11 lines: what it may cost, and what it should.
LIMIT_MS, AIM_MS = 4, 2
_SAGAS, _TRIES = 200, 5


def domain_cost() -> float:
    """Milliseconds of CPU per ``order`` saga of 11 lines in one thread without an engine.

    The least of five tries: what others do on the machine can only add to it.
    """
    return min(cpu_ms_per_order(_SAGAS)[0] for _ in range(_TRIES))
