"""What is settled is settled."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import TRIP
from bakeoff.engine import Capability

pytestmark = pytest.mark.requires(Capability.OUTCOME, Capability.COMPENSATION)


def test_nothing_happens_after_the_outcome(lab: Lab) -> None:
    """No attempt of any call follows the engine's last word."""
    car = "book_car:action"
    ends = lab.settle_all(
        [
            (TRIP, {}),
            (TRIP, {car: {"first": ["fault"]}}),
            (TRIP, {car: {"then": "decline"}}),
            (TRIP, {car: {"then": "unknown"}}),
            (TRIP, {car: {"then": "decline"}, "book_hotel:compensation": {"then": "fault"}}),
        ]
    )

    def more() -> bool:
        return any(len(end.started.trace().records) != len(end.trace.records) for end in ends)

    lab.never("something happened after the outcome", more, for_s=0.4)
