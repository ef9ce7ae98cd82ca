"""Where a saga is, which sagas there are, what happened so far: as far as an engine declares it."""

from __future__ import annotations

import time
from functools import partial

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import APPROVAL, PIVOT, TRIP
from bakeoff.contract.strike import held
from bakeoff.engine import Capability
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.outcome import Description, Status
from bakeoff.world import Aim, Point

_ACTING = Aim("book_hotel", "action", Point.BEFORE_EFFECT)

#: The pivot fails until somebody looked, and is retried for ever.
_FAILING = {"pay:action": {"first": ["fault"] * 9}}


def _described(started: Started, what: str, field: str, wanted: object) -> Description:
    """Poll until a field has a value, or is honestly unknown."""

    def look() -> Description | None:
        description = started.describe()
        if field in description.unknown:
            assert description.unknown[field], f"{field} is unknown without a reason"
            return description
        return description if getattr(description, field) == wanted else None

    return started.lab.until(what, look)


@pytest.mark.requires(Capability.DESCRIBE)
def test_describe_tells_the_current_step(lab: Lab) -> None:
    """While a step acts, its name and its attempt; what the engine cannot tell has a reason."""
    with held(lab, TRIP, _ACTING) as started:
        description = _described(started, "current step", "current_step", "book_hotel")

    assert description.status is Status.RUNNING
    assert description.saga == "trip" or "saga" in description.unknown
    assert description.attempt == 1 or "attempt" in description.unknown


@pytest.mark.requires(Capability.DESCRIBE, Capability.RETRY, Capability.PIVOT)
def test_describe_tells_the_last_error(lab: Lab) -> None:
    """While a step is retried, why."""
    started = lab.start(PIVOT, fates=_FAILING)  # type: ignore[arg-type]
    started.until_attempted("pay", 4)
    description = started.describe()

    assert description.status is Status.RUNNING
    if "last_error" not in description.unknown:
        assert description.last_error is not None
        assert "InjectedFault" in description.last_error
        assert "pay failed" in description.last_error
    if "attempt" not in description.unknown:
        assert description.attempt is not None
        assert description.attempt >= 4


@pytest.mark.requires(Capability.DESCRIBE, Capability.SIGNALS)
def test_describe_tells_what_is_awaited(lab: Lab) -> None:
    """While a saga waits, the name of the signal."""
    started = lab.start(APPROVAL)
    started.until_done("book_flight")
    description = _described(started, "awaited signal", "awaiting", "approved")

    assert description.status is Status.RUNNING
    started.signal("approved")
    started.settled()


@pytest.mark.requires(Capability.DESCRIBE, Capability.COMPENSATION)
def test_describe_tells_the_outcome(lab: Lab) -> None:
    """Afterwards, how it ended."""
    completed, compensated = lab.settle_all([(TRIP, {}), (TRIP, {"book_car:action": {"then": "decline"}})])

    assert completed.started.describe().status is Status.COMPLETED
    assert compensated.started.describe().status is Status.COMPENSATED


@pytest.mark.requires(Capability.DESCRIBE)
def test_describe_of_an_unknown_saga(lab: Lab) -> None:
    """Not found."""
    with pytest.raises(WorkflowNotFoundError):
        lab.prepare(TRIP).describe()


@pytest.mark.requires(Capability.LIST, Capability.COMPENSATION, Capability.OUTCOME)
def test_list_has_every_saga_under_its_status(lab: Lab) -> None:
    """Running, completed and compensated; each in one list, each once."""
    with held(lab, TRIP, _ACTING) as running:
        # An engine's list may lag behind; it must have a saga long before that is over.
        lab.until("the running one", partial(running.listed, Status.RUNNING))
    completed, compensated = lab.settle_all([(TRIP, {}), (TRIP, {"book_car:action": {"then": "decline"}})])

    for started, status in (
        (completed.started, Status.COMPLETED),
        (compensated.started, Status.COMPENSATED),
    ):
        listed = lab.until(f"{started.workflow_id} as {status}", partial(started.listed, status))
        assert listed.status is status
        assert listed.saga in ("trip", None)
    assert running.outcome().status is Status.COMPLETED
    lab.until("completed at last", lambda: running.listed(Status.COMPLETED))
    assert running.listed(Status.RUNNING) is None
    assert running.listed() is not None


@pytest.mark.requires(Capability.EVENT_HISTORY, Capability.OUTCOME)
def test_event_history_tells_what_happened(lab: Lab) -> None:
    """In order, in this saga's time, naming its steps."""
    before = time.time()
    end = lab.settle(TRIP)
    events = end.started.event_history()

    assert len(events) >= 4
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert all(before - 1 <= event.at <= time.time() + 1 for event in events)
    told = "\n".join(f"{event.kind} {event.detail}" for event in events)
    places = [told.find(step) for step in ("book_flight", "book_hotel", "book_car", "send_itinerary")]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.requires(Capability.EVENT_HISTORY)
def test_event_history_of_an_unknown_saga(lab: Lab) -> None:
    """Not found."""
    with pytest.raises(WorkflowNotFoundError):
        lab.prepare(TRIP).event_history()
