"""What is too large for Temporal ends in a clear word, never in a saga that is stuck."""

from __future__ import annotations

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.errors import WorkflowError, WorkflowNotFoundError
from bakeoff.outcome import Status
from tests.engines.large_sagas import GROWING, LARGE
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.temporal("sizes")


def test_saga_that_outgrows_the_limit_is_compensated(lab: Lab) -> None:
    """Each result fits, together they do not: the next step could not be scheduled any more."""
    settled = lab.settle(GROWING)

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.outcome.cause is not None
    assert (settled.outcome.cause.type, settled.outcome.cause.step) == ("PayloadsTooLarge", "produce_3")
    forward = [f"produce_{n}" for n in (1, 2, 3)]
    assert settled.story == [*forward, *(f"undo {step}" for step in reversed(forward))]
    assert settled.trace.result("produce_1", "compensation") == LARGE


@pytest.mark.parametrize("characters", [2_500_000, 5_000_000])
def test_start_with_too_large_an_input_is_refused(lab: Lab, characters: int) -> None:
    """Nothing was started then."""
    started = lab.prepare(sagas.TRIP, "x" * characters)

    with pytest.raises(WorkflowError, match="refused the start"):
        started.start()

    with pytest.raises(WorkflowNotFoundError):
        started.outcome(1)
