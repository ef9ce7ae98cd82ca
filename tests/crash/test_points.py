"""Points go by the names of the saga's own functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.orders import NOOP, ORDER, ORDER_APPROVAL, ORDER_APPROVAL_TIMEOUT, ORDER_DELAYED, ORDER_PIVOT
from bakeoff.plugins import Plugins
from bakeoff.saga import RetryPolicy, Saga
from bakeoff.settings import ConfigClass, resolve
from bakeoff.world import Aim, Point, Window
from bakeoff_bench.crash.points import Moment, check_saga, choose_points, points_of, windows_of

WINDOW = Window(Aim("charge_payment", "action", "next_published"), "next is published")


def test_every_step_and_every_compensation_has_three_and_the_pause_before_a_retry() -> None:
    found = points_of(ORDER)

    assert len(found) == 1 + 4 * (4 + 3)
    assert list(found)[:5] == [
        "during_start",
        "reserve_inventory.between_steps",
        "reserve_inventory.before_effect",
        "reserve_inventory.after_effect",
        "reserve_inventory.while_retrying",
    ]
    assert list(found)[-1] == "release_inventory.while_retrying"
    assert found["refund_payment.before_effect"] == Aim("charge_payment", "compensation", Point.BEFORE_EFFECT)
    assert found["during_start"].point == Moment.DURING_START


def test_what_is_tried_once_has_no_pause_before_a_retry() -> None:
    first, *rest = ORDER.steps()
    once = Saga("once", (replace(first, retry=RetryPolicy(maximum_attempts=1)), *rest))

    assert "reserve_inventory.while_retrying" not in points_of(once)


@pytest.mark.parametrize(("saga", "name"), [(ORDER_APPROVAL, "approval"), (ORDER_DELAYED, "cooling_off")])
def test_a_wait_and_a_timer_are_points_between_their_neighbours(saga: Saga, name: str) -> None:
    names = list(points_of(saga))

    at = names.index(f"{name}.while_waiting")
    assert names[at - 1].startswith("reserve_inventory.")
    assert names[at + 1] == f"{[s.name for s in saga.steps()][1]}.between_steps"


def test_nothing_is_undone_from_the_pivot_on() -> None:
    """Only what stands before the pivot can be compensated, so only that has points on the way back."""
    undos = {
        name.partition(".")[0] for name, aim in points_of(ORDER_PIVOT).items() if aim.direction != "action"
    }

    assert undos == {"release_inventory", "void_payment", "cancel_shipment"}


def test_steps_that_share_a_compensation_keep_their_points() -> None:
    reserve, charge, *rest = ORDER.steps()
    shared = replace(charge, compensation=reserve.compensation)
    saga = Saga("shared", (reserve, shared, *rest))

    names = [name for name, aim in points_of(saga).items() if aim.direction == "compensation"]

    assert "release_inventory.charge_payment.after_effect" in names
    assert "release_inventory.reserve_inventory.after_effect" in names
    assert len(choose_points(saga, ["release_inventory"])) == 2 * 4
    assert len(choose_points(saga, ["release_inventory.charge_payment"])) == 4


def test_a_window_stands_behind_the_points_of_its_call() -> None:
    names = list(points_of(ORDER, [WINDOW]))

    assert names[names.index("charge_payment.next_published") + 1] == "create_shipment.between_steps"
    assert list(choose_points(ORDER, ["charge_payment"], [WINDOW]))[-1] == "charge_payment.next_published"
    assert list(choose_points(ORDER, ["windows"], [WINDOW])) == ["charge_payment.next_published"]
    assert choose_points(ORDER, [], [WINDOW]) == points_of(ORDER), "what only some engines have is asked for"
    for name in ("charge_payment.next_published", "windows"):
        with pytest.raises(UnknownNameError):
            choose_points(ORDER, [name])


@pytest.mark.parametrize(
    ("engine", "windows"),
    [
        ("celery", {"next_published", "failure_stored"}),
        ("dramatiq", {"next_published", "failure_published"}),
        ("temporal", {"activity_completed"}),
        ("inline", set()),
    ],
)
def test_the_windows_that_an_engine_declares(engine: str, windows: set[str]) -> None:
    plugin = Plugins().engine(engine)
    settings = resolve(engine, plugin.info().settings, ConfigClass.RECOMMENDED, {})
    found = windows_of(ORDER, [(plugin, settings), (plugin, settings)])

    assert {window.aim.point for window in found} == windows
    assert len(points_of(ORDER, found)) == len(points_of(ORDER)) + len(found)


def test_an_early_acknowledgement_leaves_no_window_behind_the_publication() -> None:
    celery = Plugins().engine("celery")
    settings = resolve("celery", celery.info().settings, ConfigClass.DEFAULT, {})

    assert {window.aim.point for window in windows_of(ORDER, [(celery, settings)])} == {"failure_stored"}


def test_a_step_stands_for_all_of_its_points() -> None:
    chosen = choose_points(ORDER, ["cancel_shipment", "charge_payment.after_effect"])

    assert list(chosen) == [
        "cancel_shipment.between_steps",
        "cancel_shipment.before_effect",
        "cancel_shipment.after_effect",
        "cancel_shipment.while_retrying",
        "charge_payment.after_effect",
    ]


def test_a_point_that_there_is_not() -> None:
    with pytest.raises(
        UnknownNameError, match=r"--point pay: order has no such point; it has during_start, "
    ):
        choose_points(ORDER, ["pay"])


@pytest.mark.parametrize(
    "saga", [ORDER, ORDER_APPROVAL, ORDER_DELAYED, ORDER_PIVOT], ids=lambda saga: saga.name
)
def test_sagas_that_can_be_killed(saga: Saga) -> None:
    check_saga(saga)


@pytest.mark.parametrize("saga", [NOOP, ORDER_APPROVAL_TIMEOUT], ids=lambda saga: saga.name)
def test_sagas_that_an_engine_would_be_blamed_for(saga: Saga) -> None:
    """A signal that comes after a fault would race the timeout of its wait."""
    with pytest.raises(UsageError, match="needs a saga of recorded steps without short waits"):
        check_saga(saga)
