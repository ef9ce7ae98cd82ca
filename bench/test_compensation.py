"""What it costs to undo."""

from __future__ import annotations

import pytest

from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.facts import per_unit, spread
from bakeoff_bench.suite.proof import Proof
from bakeoff_bench.suite.sagas import BY_UNDONE, REFUSED


@pytest.mark.parametrize("undone", BY_UNDONE)
def test_compensation(bench: Bench, undone: int, medians: dict[tuple[str, str], dict[int, float]]) -> None:
    """So many steps, a decline, and so many compensations in reverse, from the start to the engine's word."""
    saga = BY_UNDONE[undone]
    bench.needs(saga)

    proofs = bench.sagas(
        f"compensation: {undone:2} undone",
        prepare=lambda: bench.site.prepare(saga, {f"{REFUSED}:action": {"then": "decline"}}),
        act=lambda one: bench.site.run(one),
        rounds=20,
        warm_up=3,
    )

    seen = medians.setdefault(("compensation", bench.contestant.label), {})
    bench.tell(
        undoing_s=spread(_undoing_s(proof) for proof in proofs),
        per_step_and_undo_s=per_unit(seen, undone, bench.seconds),
    )


def _undoing_s(proof: Proof) -> float:
    """From the attempt that is declined to the last compensation, by the worker's clock."""
    declined = next(one for one in proof.records if one.step == REFUSED)
    return proof.records[-1].at - declined.at
