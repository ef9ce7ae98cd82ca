"""Version 2 of sagas that are changed while some of them are in flight: it has one more step."""

from __future__ import annotations

from bakeoff.contract.sagas import REST, journey_step
from bakeoff.saga import Saga, Sleep, Wait

CHANGED = Saga(
    "changed",
    (
        journey_step("book_flight"),
        journey_step("book_hotel"),
        journey_step("pay"),
        journey_step("book_car"),
        journey_step("send_itinerary", undo=False),
    ),
    version=2,
)

CHANGED_WAITING = Saga(
    "changed-waiting",
    (
        journey_step("book_flight"),
        Wait(name="approved"),
        journey_step("pay"),
        journey_step("book_car"),
        journey_step("send_itinerary", undo=False),
    ),
    version=2,
)

CHANGED_SLEEPING = Saga(
    "changed-sleeping",
    (
        journey_step("book_flight"),
        Sleep(name="rest", duration=REST),
        journey_step("pay"),
        journey_step("book_car"),
        journey_step("send_itinerary", undo=False),
    ),
    version=2,
)
