"""Sagas and fault plans that nobody thought of: what happens is what the independent model says."""

from __future__ import annotations

import pytest

from bakeoff.contract.generated import POOL
from bakeoff.contract.generator import INPUT, Kind, differences
from bakeoff.contract.lab import Lab
from bakeoff.engine import Capability
from bakeoff.expectation import Facts, expect

pytestmark = pytest.mark.requires(
    Capability.ORDER, Capability.RETRY, Capability.COMPENSATION, Capability.OWN_UNDO, Capability.OUTCOME
)


@pytest.mark.parametrize(
    "kind",
    [
        "plain",
        pytest.param("groups", marks=pytest.mark.requires(Capability.PARALLEL)),
        pytest.param("pivots", marks=pytest.mark.requires(Capability.PIVOT)),
        pytest.param("timers", marks=pytest.mark.requires(Capability.TIMERS)),
        pytest.param("conditions", marks=pytest.mark.requires(Capability.CONDITIONS, Capability.PARALLEL)),
        pytest.param("escalations", marks=pytest.mark.requires(Capability.ESCALATION, Capability.CONDITIONS)),
    ],
)
def test_generated_sagas_end_as_the_model_says(lab: Lab, kind: Kind) -> None:
    """Status, cause, attempts and effects of twelve sagas, none of them written by hand."""
    pool = POOL[kind]
    ends = lab.settle_all(pool, INPUT)

    wrong = {
        end.started.workflow_id: found
        for end, (saga, fates) in zip(ends, pool, strict=True)
        if (found := differences(expect(saga, fates, Facts(input=INPUT)), end.outcome, end.trace))
    }
    assert wrong == {}
    assert len({end.outcome.status for end in ends}) >= 2
