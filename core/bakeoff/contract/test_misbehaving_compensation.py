"""S4: compensations are retried by their own policy, and one that gives up stops no other."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import SLOW_UNDO, TRIP
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.COMPENSATION, Capability.OUTCOME)

#: The first, a middle and the last undo of a trip whose last step is declined.
_UNDONE = ("book_car", "book_hotel", "book_flight")
_DECLINED = {"send_itinerary:action": {"then": "decline"}}
_FORWARD = ["book_flight", "book_hotel", "book_car"]


@pytest.mark.parametrize("step", _UNDONE)
def test_flaky_compensation_is_retried(lab: Lab, step: str) -> None:
    """It fails twice, then works; the order stays."""
    end = lab.settle(TRIP, fates={**_DECLINED, f"{step}:compensation": {"first": ["fault", "fault"]}})  # type: ignore[dict-item]

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == _FORWARD + [f"undo {name}" for name in _UNDONE]
    assert {name: end.counts[f"undo {name}"] for name in _UNDONE} == {
        name: 3 if name == step else 1 for name in _UNDONE
    }


@pytest.mark.parametrize("step", _UNDONE)
def test_compensation_that_gives_up_does_not_stop_the_others(lab: Lab, step: str) -> None:
    """The saga ends as compensation_failed and names the step."""
    end = lab.settle(TRIP, fates={**_DECLINED, f"{step}:compensation": {"then": "fault"}})  # type: ignore[dict-item]

    assert end.outcome.status is Status.COMPENSATION_FAILED
    assert end.outcome.failed_compensations == (step,)
    assert end.story == _FORWARD + [f"undo {name}" for name in _UNDONE if name != step]
    assert end.counts[f"undo {step}"] == 3


def test_every_compensation_that_gave_up_is_named(lab: Lab) -> None:
    """Two give up, the one between them works."""
    end = lab.settle(
        TRIP,
        fates={
            **_DECLINED,  # type: ignore[dict-item]
            "book_car:compensation": {"then": "fault"},
            "book_flight:compensation": {"then": "fault"},
        },
    )

    assert end.outcome.status is Status.COMPENSATION_FAILED
    assert sorted(end.outcome.failed_compensations) == ["book_car", "book_flight"]
    assert end.story == [*_FORWARD, "undo book_hotel"]


def test_compensation_failed_keeps_the_cause(lab: Lab) -> None:
    """Why it went back is still known when going back failed too."""
    end = lab.settle(TRIP, fates={**_DECLINED, "book_car:compensation": {"then": "fault"}})  # type: ignore[dict-item]

    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("BusinessError", "send_itinerary")


def test_already_undone_counts_as_success(lab: Lab) -> None:
    """The undo worked but its answer was lost; the retry finds it done."""
    end = lab.settle(TRIP, fates={**_DECLINED, "book_hotel:compensation": {"first": ["unknown"]}})  # type: ignore[dict-item]

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == _FORWARD + [f"undo {name}" for name in _UNDONE]
    assert end.counts["undo book_hotel"] == 2


def test_declined_compensation_is_retried(lab: Lab) -> None:
    """Nobody may take no for an answer on the way back: a decline is a fault there."""
    end = lab.settle(TRIP, fates={**_DECLINED, "book_hotel:compensation": {"first": ["decline"]}})  # type: ignore[dict-item]

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["undo book_hotel"] == 2


@pytest.mark.requires(Capability.TIMEOUT)
@pytest.mark.early(
    SLOW_UNDO,
    {"book_hotel:action": {"then": "decline"}, "book_flight:compensation": {"first": ["slow:6"]}},
    with_module=True,
)
def test_compensation_that_times_out_is_retried(early: Started) -> None:
    """A timeout is a fault on the way back, too."""
    end = early.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["undo book_flight"] == 2
    assert end.story[0] == "book_flight"
    assert end.story.count("undo book_flight") == 1
