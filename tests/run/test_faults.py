"""The usual faults, fitted to a saga: every saga of a run settles, and within reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bakeoff.expectation import drawn_fates, expect
from bakeoff.orders import NOOP, ORDER, ORDER_APPROVAL, ORDER_PARALLEL, ORDER_PIVOT
from bakeoff.saga import Call, Saga, Step
from bakeoff_bench.run.duration import patience_s, waits_s
from bakeoff_scenarios.cancelling import ends, members
from bakeoff_scenarios.faults import usual_faults
from tests.run.evidence_builder import completed, evidence_of


def act(call: Call) -> None:
    """Do nothing."""


def _saga(*steps: Step) -> Saga:
    return Saga("own", steps)


@pytest.mark.parametrize("saga", [ORDER, ORDER_PIVOT, ORDER_PARALLEL], ids=lambda saga: saga.name)
def test_every_saga_settles_and_every_end_occurs(saga: Saga) -> None:
    profile = usual_faults(saga, seed=1).to_json()
    statuses = {expect(saga, drawn_fates(profile, f"order-{number}", saga)).status for number in range(3000)}

    assert {str(status) for status in statuses} == {"completed", "compensated"}


def test_nothing_breaks_for_good_from_the_pivot_on() -> None:
    profile = usual_faults(ORDER_PIVOT, seed=1)

    assert set(profile.broken) == {"create_shipment"}
    assert "authorize_payment" in profile.declines


def test_saga_without_records_suffers_nothing() -> None:
    profile = usual_faults(NOOP, seed=1)

    assert not profile.declines
    assert not profile.broken
    assert profile.transient == profile.unknown == profile.slow == profile.too_slow == 0


def test_own_saga_is_declined_at_its_second_step_and_breaks_at_its_last() -> None:
    profile = usual_faults(_saga(*(Step(name=name, action=act) for name in ("a", "b", "c"))), seed=1)

    assert set(profile.declines) == {"b"}
    assert set(profile.broken) == {"c"}


def test_steps_with_long_timeouts_are_not_made_slow() -> None:
    patient = Step(name="a", action=act, timeout=timedelta(hours=1))
    hasty = Step(name="a", action=act, timeout=timedelta(seconds=2))

    assert usual_faults(_saga(patient), seed=1).too_slow == 0
    assert usual_faults(_saga(hasty), seed=1).too_slow > 0


def test_patience_grows_with_what_the_plan_waits_for() -> None:
    plain = evidence_of([completed("order-0")]).planned["order-0"]
    retried = expect(ORDER, {"charge_payment:action": {"first": ["fault", "fault"]}})

    assert patience_s(ORDER, plain) == 60
    assert waits_s(ORDER, retried) == pytest.approx(0.1 + 0.2)


@pytest.mark.parametrize(
    ("saga", "later"), [(ORDER, 3), (ORDER_PIVOT, 2), (ORDER_PARALLEL, 3), (ORDER_APPROVAL, 1)]
)
def test_cancel_that_comes_a_step_later_is_as_right(saga: Saga, later: int) -> None:
    """All of its ends are compensated, so the expected number is exact whenever it comes."""
    first, others = ends(saga, lambda fates, facts: expect(saga, fates, facts))

    assert [str(end.status) for end in (first, *others)] == ["compensated"] * (1 + later)
    assert all(end.ledger_tells for end in (first, *others))
    assert len(first.attempts) == 2 * len(members(saga.elements[0]))
