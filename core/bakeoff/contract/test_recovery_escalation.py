"""S2, S10: a process that dies between an exhausted step and its escalation costs time, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bakeoff.contract.generator import differences
from bakeoff.contract.lab import Fates, Lab
from bakeoff.contract.sagas import ESCALATING
from bakeoff.contract.strike import Word, standing, start_at, strike, words
from bakeoff.engine import Capability, Survives
from bakeoff.expectation import expect
from bakeoff.nemesis import WorkerKill
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point

pytestmark = [
    pytest.mark.recovery,
    pytest.mark.timeout(300),
    pytest.mark.requires(Survives.STEP_KILL, Capability.ESCALATION, Capability.OUTCOME),
]

#: It had its effect, and every answer was lost.
_EXHAUSTED: Fates = {"hasty:action": {"then": "unknown"}}
#: From the exhausted step's own undo to the end of the escalation's first step.
_AIMS = {
    **{f"undo_hasty.{point}": Aim("hasty", "compensation", point) for point in Point},
    **{f"patient.{point}": Aim("patient", "action", point) for point in Point},
}


@pytest.fixture(scope="session")
def handing_over(killable: Lab) -> Mapping[str, Word]:
    """A saga at every point, and every worker killed."""
    started = {name: start_at(killable, ESCALATING, aim, _EXHAUSTED) for name, aim in _AIMS.items()}
    strike(killable, WorkerKill(), standing(killable, list(started.values())))
    return dict(zip(started, words(killable, list(started.values())), strict=True))


@pytest.mark.parametrize("name", _AIMS)
def test_crash_on_the_way_to_an_escalation(handing_over: Mapping[str, Word], name: str) -> None:
    """The step is undone once, others go on in its place, and nobody does what was left out."""
    end = handing_over[name].settled()

    assert end.outcome.status is Status.COMPLETED
    assert differences(expect(ESCALATING, _EXHAUSTED), end.outcome, end.trace, attempts=False) == []
