"""Points go by the seed's own names."""

from __future__ import annotations

import pytest

from bakeoff.errors import UnknownNameError
from bakeoff.orders import ORDER
from bakeoff.world import Aim, Point
from bakeoff_bench.crash.points import choose_points, points_of


def test_every_step_and_every_compensation_has_three() -> None:
    found = points_of(ORDER)

    assert len(found) == 3 * (4 + 3)
    assert next(iter(found)) == "reserve_inventory.between_steps"
    assert list(found)[-1] == "release_inventory.after_effect"
    assert found["refund_payment.before_effect"] == Aim("charge_payment", "compensation", Point.BEFORE_EFFECT)


def test_a_step_stands_for_all_of_its_points() -> None:
    chosen = choose_points(ORDER, ["cancel_shipment", "charge_payment.after_effect"])

    assert list(chosen) == [
        "cancel_shipment.between_steps",
        "cancel_shipment.before_effect",
        "cancel_shipment.after_effect",
        "charge_payment.after_effect",
    ]


def test_a_point_that_there_is_not() -> None:
    with pytest.raises(UnknownNameError, match=r"--point pay: order has no such point; it has reserve_inv"):
        choose_points(ORDER, ["pay"])
