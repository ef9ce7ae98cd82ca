"""S1: steps act in order, each once, with what they need to know."""

from __future__ import annotations

import pytest

from bakeoff.contract.actions import BIG_RESULT
from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import BIG, HUNDRED, MIXED, TRIP, WITNESS
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.ORDER, Capability.OUTCOME)

_TRIP = ["book_flight", "book_hotel", "book_car", "send_itinerary"]


def test_all_steps_act_once_in_order(lab: Lab) -> None:
    """Every step acts once, in the order of the definition, with one attempt numbered 1."""
    end = lab.settle(TRIP)

    assert end.outcome.status is Status.COMPLETED
    assert end.story == _TRIP
    assert end.counts == dict.fromkeys(_TRIP, 1)
    assert [end.trace.attempts(step)[0].attempt for step in _TRIP] == [1, 1, 1, 1]


@pytest.mark.early(TRIP, {"book_flight:action": {"first": ["fault", "late:0.4"]}})
def test_a_step_starts_only_after_the_one_before_succeeded(early: Started) -> None:
    """Not when it was attempted, not when its effect was there: when it had returned."""
    end = early.settled()

    assert end.story == _TRIP
    pause = end.trace.attempts("book_hotel")[0].at - end.trace.effect("book_flight").at
    assert pause >= 0.39


def test_input_arrives_unchanged_at_every_step(lab: Lab) -> None:
    """Whatever JSON can carry, and nothing is added to it."""
    input = {"text": "Zürich 東京 \u2028 \"'\\", "nested": [1, 2.5, None, True, {"": []}], "big": 2**53}
    started = lab.start(WITNESS, input)
    end = started.settled()

    for step in ("first", "second", "third"):
        assert end.trace.result(step)["input"] == input


@pytest.mark.parametrize("input", [None, "order-123", 7, ["a"]], ids=["null", "text", "number", "list"])
def test_input_need_not_be_an_object(lab: Lab, input: object) -> None:
    """An order id alone is a good input."""
    end = lab.start(WITNESS, input).settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("third")["input"] == input


def test_results_of_earlier_steps_are_visible(lab: Lab) -> None:
    """A step is given the results of all steps before it, by name."""
    end = lab.settle(WITNESS)

    first, second = end.trace.result("first"), end.trace.result("second")
    assert first["results"] == {}
    assert second["results"] == {"first": first}
    assert end.trace.result("third")["results"] == {"first": first, "second": second}


def test_steps_without_compensation_are_ordinary_steps(lab: Lab) -> None:
    """They act in their place in the order."""
    end = lab.settle(MIXED)

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["look_around", "book_flight", "send_itinerary", "book_hotel", "book_car"]


def test_payload_of_100_kb(lab: Lab) -> None:
    """An input and a result of 100 kB arrive whole."""
    end = lab.start(BIG, "i" * 100_000).settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("weigh") == {"input": 100_000, "produced": BIG_RESULT}


@pytest.mark.timeout(240)
def test_saga_of_100_steps(lab: Lab) -> None:
    """A hundred steps act in order, and each sees the results of all before it."""
    end = lab.start(HUNDRED).settled(4 * lab.patience_s)

    assert end.outcome.status is Status.COMPLETED
    assert end.story == [f"step_{number:03}" for number in range(1, 101)]
    assert end.trace.result("step_100") == 99


def test_fifty_sagas_at_once(lab: Lab) -> None:
    """None is lost, none is mixed up with another, none acts twice."""
    started = [lab.start(WITNESS, {"number": number}) for number in range(50)]
    ends = [one.settled(2 * lab.patience_s) for one in started]

    assert {end.outcome.status for end in ends} == {Status.COMPLETED}
    for number, end in enumerate(ends):
        assert end.story == ["first", "second", "third"]
        assert end.counts == {"first": 1, "second": 1, "third": 1}
        first = {"input": {"number": number}, "results": {}}
        second = {"input": {"number": number}, "results": {"first": first}}
        assert end.trace.result("third")["results"] == {"first": first, "second": second}
