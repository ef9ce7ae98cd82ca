"""A load's numbers for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.measured import Measured

#: Of a generator that kept up.
KEPT_UP = Effort(
    seconds=12.0,
    arriving_s=10.0,
    cpu_s=1.0,
    lag_p99_s=0.001,
    late_p99_s=0.001,
    late_max_s=0.002,
    sheds=0,
    in_process=False,
)


def measured(
    *,
    offered_per_s: float = 10.0,
    settled_per_s: float = 10.0,
    kept_up: bool = True,
    p95_s: float | None = 0.2,
    censored: int = 0,
    validity: str = "valid",
    reasons: Sequence[str] = (),
    void: Sequence[str] = (),
    left_open: int = 0,
    disturbed: bool = False,
) -> Measured:
    """Sagas of the kind ``order``, all of them completed."""
    return Measured(
        seconds=10.0,
        arrived=round(10 * offered_per_s),
        warm_up=0,
        offered_per_s=offered_per_s,
        achieved_per_s=offered_per_s,
        settled_per_s=settled_per_s,
        censored=censored,
        open_first=5,
        open_last=5 if kept_up else 200,
        growth=0.0 if kept_up else 195.0,
        kept_up=kept_up,
        latencies={"order-completed-settled": {"n": 100, "p50": 0.1, "p90": 0.15, "p95": p95_s, "p99": None}},
        void=void,
        effort=KEPT_UP,
        validity=validity,
        reasons=reasons,
        left_open=left_open,
        disturbed=disturbed,
    )
