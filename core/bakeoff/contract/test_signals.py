"""S7: a signal carries an id, is consumed by one wait, and is never lost or counted twice."""

from __future__ import annotations

import asyncio

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import APPROVAL, TWO_WAITS
from bakeoff.contract.strike import held
from bakeoff.engine import Capability, EngineClient, Signals
from bakeoff.errors import SignalRejectedError, WorkflowNotFoundError
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point

pytestmark = pytest.mark.requires(Capability.SIGNALS, Capability.OUTCOME)

_ACTING = Aim("book_flight", "action", Point.BEFORE_EFFECT)


def _waiting(lab: Lab) -> Started:
    started = lab.start(APPROVAL)
    started.until_done("book_flight")
    return started


def test_payload_of_a_signal_is_the_result_of_its_wait(lab: Lab) -> None:
    """Later steps see it under the name of the wait."""
    started = _waiting(lab)
    payload = {"by": "Grace", "limit": 1_000, "notes": ["ü", None]}

    assert started.signal("approved", payload) is True
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("after")["results"]["approved"] == payload


def test_saga_waits_for_its_signal(lab: Lab) -> None:
    """Without a signal it neither goes on nor ends."""
    started = _waiting(lab)

    lab.never("it went on", lambda: started.trace().attempts("after"), for_s=0.3)
    started.signal("approved")
    assert started.settled().story == ["book_flight", "after"]


def test_early_signal_is_kept(lab: Lab) -> None:
    """It comes while an earlier step still acts."""
    with held(lab, APPROVAL, _ACTING) as started:
        assert started.signal("approved", "early") is True
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "after"]
    assert end.trace.result("after")["results"]["approved"] == "early"


def test_repeated_signal_counts_once(lab: Lab) -> None:
    """The same id again is said to be a repetition, before and after the wait took it."""
    with held(lab, APPROVAL, _ACTING) as started:
        assert started.signal("approved", "first", signal_id="s1") is True
        assert started.signal("approved", "second", signal_id="s1") is False
    end = started.settled()
    assert end.trace.result("after")["results"]["approved"] == "first"
    assert end.counts == {"book_flight": 1, "after": 1}


def test_second_signal_for_the_same_wait_is_rejected(lab: Lab) -> None:
    """Each wait consumes one; another one has come too late and must not vanish in silence."""
    with held(lab, APPROVAL, _ACTING) as started:
        started.signal("approved", "first", signal_id="s1")
        with pytest.raises(SignalRejectedError):
            started.signal("approved", "second", signal_id="s2")
    assert started.settled().trace.result("after")["results"]["approved"] == "first"


def test_signal_after_its_wait_is_rejected(lab: Lab) -> None:
    """The saga runs on, but nobody will look at this signal any more."""
    started = lab.start(TWO_WAITS)
    started.signal("approved", signal_id="s1")
    started.until_done("book_hotel")

    with pytest.raises(SignalRejectedError):
        started.signal("approved", signal_id="s2")
    started.signal("countersigned", signal_id="s3")
    assert started.settled().outcome.status is Status.COMPLETED


def test_signal_to_a_settled_saga_is_rejected(lab: Lab) -> None:
    """It is too late for everything."""
    started = _waiting(lab)
    started.signal("approved", signal_id="s1")
    started.settled()

    with pytest.raises(SignalRejectedError):
        started.signal("approved", signal_id="s2")


def test_signal_to_an_unknown_saga(lab: Lab) -> None:
    """Not found; and it does not wait there for a saga that is started later."""
    stranger = lab.prepare(APPROVAL)

    with pytest.raises(WorkflowNotFoundError):
        stranger.signal("approved")


def test_signal_that_no_wait_has_is_rejected(lab: Lab) -> None:
    """A misspelt name is the caller's mistake and said so."""
    started = _waiting(lab)

    with pytest.raises(SignalRejectedError):
        started.signal("aproved")
    started.signal("approved", signal_id="signal-2")
    assert started.settled().outcome.status is Status.COMPLETED


def test_two_waits_take_each_its_own_signal(lab: Lab) -> None:
    """Also when the second one's signal comes first."""
    with held(lab, TWO_WAITS, _ACTING) as started:
        assert started.signal("countersigned", 2, signal_id="s2") is True
    lab.never("it did not wait for the first", lambda: started.trace().attempts("book_hotel"), for_s=0.5)
    assert started.signal("approved", 1, signal_id="s1") is True
    end = started.settled()
    assert end.story == ["book_flight", "book_hotel", "after"]
    results = end.trace.result("after")["results"]
    assert (results["approved"], results["countersigned"]) == (1, 2)


def test_of_many_simultaneous_deliveries_one_counts(lab: Lab) -> None:
    """Five senders deliver the same signal at once: one is told that it was the first."""
    started = _waiting(lab)

    async def all_at_once(client: EngineClient) -> list[bool]:
        assert isinstance(client, Signals)
        return await asyncio.gather(
            *(client.signal(started.workflow_id, "approved", "s1", {"same": True}) for _ in range(5))
        )

    assert sorted(lab.ask(all_at_once)) == [False] * 4 + [True]
    assert started.settled().counts == {"book_flight": 1, "after": 1}


def test_twenty_sagas_wait_for_their_own_signals(lab: Lab) -> None:
    """A waiting saga holds no slot, and no signal reaches a neighbour."""
    waiting = [lab.start(APPROVAL) for _ in range(20)]
    for started in waiting:
        started.until_done("book_flight")
    for number, started in enumerate(waiting):
        started.signal("approved", number)

    for number, started in enumerate(waiting):
        assert started.settled().trace.result("after")["results"]["approved"] == number


@pytest.mark.requires(Capability.COMPENSATION)
def test_failure_after_a_wait_undoes_the_steps_before_it(lab: Lab) -> None:
    """A wait has nothing to undo, but what stands before it has."""
    started = lab.start(APPROVAL, fates={"after:action": {"then": "decline"}})
    started.signal("approved")
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "undo book_flight"]
