"""Load plans for tests: what arrives is the order saga at a steady rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bakeoff.orders import ORDER
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Options, find_contestants
from bakeoff_bench.load.plan import Block, LoadPlan
from bakeoff_scenarios import find_load


def load_plan(engines: Sequence[str], **changes: Any) -> LoadPlan:
    """Two rounds of a closed loop and of half of its rate, each of ten seconds; ``changes`` are fields."""
    plan = LoadPlan(
        contestants=[
            one
            for name in engines
            for one in find_contestants(Options(engines=(name,)), ConfigClass.RECOMMENDED)
        ],
        load=find_load("order-steady"),
        saga=ORDER,
        references=("bakeoff.orders",),
        blocks=[Block(name="16 in flight", users=16), Block(name="50%", share=0.5)],
        rounds=2,
        seconds=10.0,
        warm_up_s=1.0,
    )
    return replace(plan, **changes)
