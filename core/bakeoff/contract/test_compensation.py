"""S3: undo in reverse everything that succeeded or may have had an effect, and nothing else."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import HUNDRED, MIXED, SINGLE, TRIP, WITNESS
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.COMPENSATION, Capability.OUTCOME)

_STEPS = ("book_flight", "book_hotel", "book_car", "send_itinerary")


@pytest.mark.parametrize("step", _STEPS)
def test_decline_at_each_step_undoes_the_steps_before_it_in_reverse(lab: Lab, step: str) -> None:
    """The declined step is not undone, later steps are never attempted."""
    end = lab.settle(TRIP, fates={f"{step}:action": {"then": "decline"}})

    before = list(_STEPS[: _STEPS.index(step)])
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == before + [f"undo {name}" for name in reversed(before)]
    assert end.counts == {name: 1 for name in [*before, step, *(f"undo {name}" for name in before)]}


@pytest.mark.requires(Capability.OWN_UNDO, Capability.RETRY)
@pytest.mark.parametrize("step", _STEPS)
def test_faults_at_each_step_undo_it_and_the_steps_before_it_in_reverse(lab: Lab, step: str) -> None:
    """A step that failed may have had an effect: it is compensated itself, first."""
    end = lab.settle(TRIP, fates={f"{step}:action": {"then": "fault"}})

    before = list(_STEPS[: _STEPS.index(step)])
    own = [f"undo {step} (nothing)"] if TRIP.step(step).compensation else []
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == before + own + [f"undo {name}" for name in reversed(before)]


@pytest.mark.requires(Capability.OWN_UNDO)
def test_step_whose_every_attempt_was_declined_is_not_compensated(lab: Lab) -> None:
    """A decline is an answer: nothing happened, so there is nothing to undo."""
    end = lab.settle(TRIP, fates={"book_car:action": {"then": "decline"}})

    assert end.trace.attempts("book_car", "compensation") == []
    assert end.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]


@pytest.mark.requires(Capability.OWN_UNDO, Capability.RETRY)
def test_step_declined_after_a_fault_is_compensated(lab: Lab) -> None:
    """The attempt that failed may have had an effect, whatever the last attempt was told."""
    faulted, unknown = lab.settle_all(
        [
            (TRIP, {"book_car:action": {"first": ["fault"], "then": "decline"}}),
            (TRIP, {"book_hotel:action": {"first": ["fault", "fault"], "then": "decline"}}),
        ]
    )

    assert faulted.outcome.status is Status.COMPENSATED
    assert faulted.story[2:] == ["undo book_car (nothing)", "undo book_hotel", "undo book_flight"]
    assert unknown.story[1:] == ["undo book_hotel (nothing)", "undo book_flight"]


@pytest.mark.requires(Capability.OWN_UNDO, Capability.RETRY)
def test_step_with_an_unknown_outcome_is_undone(lab: Lab) -> None:
    """Its effect is in the books although no attempt ever succeeded."""
    end = lab.settle(TRIP, fates={"book_car:action": {"then": "unknown"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == [
        "book_flight",
        "book_hotel",
        "book_car",
        "undo book_car",
        "undo book_hotel",
        "undo book_flight",
    ]


def test_steps_without_compensation_are_passed_over(lab: Lab) -> None:
    """What has no compensation neither stops nor reorders the others."""
    end = lab.settle(MIXED, fates={"book_car:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.story[4:] == ["undo book_hotel", "undo book_flight"]


def test_saga_that_failed_at_once_is_compensated(lab: Lab) -> None:
    """Nothing to undo is no reason to be anything but compensated."""
    end = lab.settle(SINGLE, fates={"book_flight:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == []
    assert end.counts == {"book_flight": 1}


@pytest.mark.early(
    TRIP, {"book_car:action": {"then": "decline"}, "book_hotel:compensation": {"first": ["late:0.4"]}}
)
def test_an_undo_starts_only_after_the_later_one_ended(early: Started) -> None:
    """Reverse order means one after the other, also when an undo is slow."""
    end = early.settled()

    assert end.story[2:] == ["undo book_hotel", "undo book_flight"]
    pause = (
        end.trace.attempts("book_flight", "compensation")[0].at
        - end.trace.effect("book_hotel", "compensation").at
    )
    assert pause >= 0.39


def test_compensation_is_given_input_and_its_actions_result(lab: Lab) -> None:
    """The refund needs the charge id."""
    end = lab.settle(WITNESS, fates={"third:action": {"then": "decline"}})

    for step in ("first", "second"):
        assert end.trace.result(step, "compensation") == {
            "input": end.started.input,
            "own_result": end.trace.result(step),
        }


@pytest.mark.requires(Capability.OWN_UNDO, Capability.RETRY)
def test_compensation_is_given_no_result_where_the_outcome_is_unknown(lab: Lab) -> None:
    """Nobody got that result, so nobody can pass it on."""
    end = lab.settle(WITNESS, fates={"second:action": {"then": "unknown"}})

    assert end.trace.result("second", "compensation") == {"input": end.started.input, "own_result": None}


@pytest.mark.timeout(240)
def test_saga_of_100_steps_is_undone(lab: Lab) -> None:
    """The last of a hundred steps is declined, and ninety-nine are undone in reverse."""
    end = lab.start(HUNDRED, fates={"step_100:action": {"then": "decline"}}).settled(4 * lab.patience_s)

    forward = [f"step_{number:03}" for number in range(1, 100)]
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == forward + [f"undo {name}" for name in reversed(forward)]


def test_thirty_sagas_compensate_at_once(lab: Lab) -> None:
    """Each undoes its own steps, whatever happens to its neighbours."""
    plans = [(TRIP, {f"{_STEPS[number % 4]}:action": {"then": "decline"}}) for number in range(30)]
    ends = lab.settle_all(plans)  # type: ignore[arg-type]

    for number, end in enumerate(ends):
        before = list(_STEPS[: number % 4])
        assert end.outcome.status is Status.COMPENSATED
        assert end.story == before + [f"undo {name}" for name in reversed(before)]
