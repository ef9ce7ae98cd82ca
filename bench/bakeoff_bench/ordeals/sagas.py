"""The slow saga of ``noisy-neighbour``; workers load it by reference."""

from __future__ import annotations

import time
from datetime import timedelta

from bakeoff.saga import JSON, Call, Saga, Step

#: Seconds that its one step takes.
SLOW_S = 2.0


def compile_report(call: Call) -> JSON:
    """Somebody's report that takes its time, and touches nothing that orders need."""
    deadline = time.monotonic() + SLOW_S
    while time.monotonic() < deadline:
        time.sleep(0.02)  # a thread can only be interrupted between two sleeps
    return {"report": call.input}


SLOW_REPORT = Saga(
    "slow-report",
    (Step(name="compile_report", action=compile_report, timeout=timedelta(seconds=10)),),
)
