"""What Celery's redrive finds a saga by, on each broker; ``tests/cli`` has the verb itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.errors import RedriveRefusedError
from bakeoff.outcome import Outcome, Status
from bakeoff.processes import kill_session
from bakeoff.world import Fate
from bakeoff_celery.canvas import forward
from bakeoff_celery.client import CeleryClient
from bakeoff_celery.state import State, task_id
from tests.engines.celery_stack import celery_lab, results_of
from tests.engines.shared import Shared
from tests.tiers import more

pytestmark = pytest.mark.service

_DECLINED: Fate = {"then": "decline"}
_BROKEN: Fate = {"then": "fault"}
_SLOW: Fate = {"first": ["slow:3"]}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An engine of our own on Valkey, whose lease no test outlives: only a redrive brings anything back."""
    folder = tmp_path_factory.mktemp("redrive")
    with celery_lab(folder, broker="valkey", visibility_timeout="300") as lab:
        yield lab


@pytest.mark.parametrize("broker", ["valkey", more("rabbitmq")])
def test_undos_that_gave_up_are_published_again(shared: Shared, broker: str) -> None:
    """Only those, in reverse; the client's outcome is the new one."""
    lab = shared.celery("undo-again", broker=broker)
    fates = {
        "book_car:action": _DECLINED,
        "book_flight:compensation": _BROKEN,
        "book_hotel:compensation": _BROKEN,
    }
    started = lab.start(sagas.TRIP, fates=fates)
    assert started.outcome().status is Status.COMPENSATION_FAILED
    lab.stack.world.set_fate(started.workflow_id, {"book_car:action": _DECLINED})

    assert redrive(started, "book_hotel") == "published the undo of book_hotel again"
    half = _outcome_other_than(started, ("book_hotel", "book_flight"))
    assert half.failed_compensations == ("book_flight",)
    assert redrive(started) == "published the undo of book_flight again"
    whole = _outcome_other_than(started, ("book_flight",))
    assert whole.status is Status.COMPENSATED
    assert whole.cause is not None
    assert whole.cause.step == "book_car"
    assert started.trace().story()[-2:] == ["undo book_hotel", "undo book_flight"]
    with pytest.raises(RedriveRefusedError, match="nothing to redrive"):
        redrive(started)


def test_what_a_killed_worker_took_is_delivered_again_before_its_lease_ends(lab: Lab) -> None:
    started = lab.start(sagas.TRIP, fates={"book_hotel:action": _SLOW})
    started.until_attempted("book_hotel")
    with pytest.raises(RedriveRefusedError, match="a worker holds its message"):
        redrive(started)
    _kill_workers(lab)

    assert "is delivered again before its lease ends" in redrive(started)
    assert started.outcome().status is Status.COMPLETED


@pytest.mark.parametrize(
    ("step", "fate", "done"),
    [
        ("book_car", _DECLINED, "published the errback of book_car again"),
        ("send_itinerary", _BROKEN, "published all undos again; what its steps had returned is lost"),
    ],
    ids=["by-the-stored-failure", "without-it"],
)
def test_a_lost_way_back_begins_again(lab: Lab, step: str, fate: Fate, done: str) -> None:
    """The failure of a last step is not kept: the note that the way back has begun takes its place."""
    fates: dict[str, Fate] = {f"{step}:action": fate, "book_hotel:compensation": _SLOW}
    started = lab.start(sagas.TRIP, fates=fates)
    started.until_undo_attempted("book_hotel")
    _kill_workers(lab)
    with results_of(lab) as client:
        client.delete("unacked", "unacked_index")

    assert done in redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == step
    assert end.story[-2:] == ["undo book_hotel", "undo book_flight"]
    assert len(end.story) == len(set(end.story))


def test_a_chain_that_is_lost_after_a_wait_goes_on_behind_it(lab: Lab) -> None:
    """From the start it would stop there: the signal was consumed."""
    started = lab.start(sagas.APPROVAL, fates={"after:action": _SLOW})
    started.signal("approved", {"by": "Ada"})
    started.until_attempted("after")
    _kill_workers(lab)
    with results_of(lab) as client:
        client.delete("unacked", "unacked_index")

    assert "published the chain that follows approved again" in redrive(started)
    assert started.outcome().status is Status.COMPLETED


_EXHAUSTED: dict[str, Fate] = {"hasty:action": _BROKEN}


def test_a_lost_escalation_begins_again_by_the_failure_that_led_to_it(lab: Lab) -> None:
    """From the start the exhausted step would meet its own undo, and be declined."""
    started = lab.start(sagas.ESCALATING, fates={**_EXHAUSTED, "patient:action": _SLOW})
    started.until_attempted("patient")
    _kill_workers(lab)
    with results_of(lab) as client:
        client.delete("unacked", "unacked_index")

    assert "published the errback of hasty again" in redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "undo hasty (nothing)", "patient", "after"]


def test_an_escalation_that_is_lost_after_a_wait_goes_on_behind_it(lab: Lab) -> None:
    started = lab.start(sagas.ASKING, fates={**_EXHAUSTED, "after:action": _SLOW})
    started.until_done("patient")
    started.signal("answer", "yes")
    started.until_attempted("after")
    _kill_workers(lab)
    with results_of(lab) as client:
        client.delete("unacked", "unacked_index")

    assert "published the chain that follows asked_again again" in redrive(started)
    assert started.outcome().status is Status.COMPLETED


def test_a_lost_way_back_from_an_exhausted_step_does_not_escalate(lab: Lab) -> None:
    """Its own undo gave up the first time; now it would not, and steps before it are undone already."""
    fates = {**_EXHAUSTED, "hasty:compensation": _BROKEN, "book_flight:compensation": _SLOW}
    started = lab.start(sagas.ESCALATING, fates=fates)
    started.until_undo_attempted("book_flight")
    _kill_workers(lab)
    with results_of(lab) as client:
        client.delete("unacked", "unacked_index")
    lab.stack.world.set_fate(started.workflow_id, _EXHAUSTED)

    assert "published the errback of hasty again" in redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "undo hasty (nothing)", "undo book_flight"]


def test_a_lost_way_back_from_the_end_of_an_escalation_undoes_what_lay_on_its_way(lab: Lab) -> None:
    """And nothing of the way that was left."""
    fates: dict[str, Fate] = {**_EXHAUSTED, "after:action": _DECLINED, "patient:compensation": _SLOW}
    started = lab.start(sagas.ESCALATING, fates=fates)
    started.until_undo_attempted("patient")
    _kill_workers(lab)
    with results_of(lab) as client:
        client.delete("unacked", "unacked_index")

    assert "published all undos again" in redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert "undo book_hotel" not in end.counts
    assert end.counts["undo hasty"] == 1
    assert end.story[-2:] == ["undo patient", "undo book_flight"]


@pytest.mark.parametrize("gives_up", [False, True], ids=["on", "back"])
def test_what_is_lost_after_a_copy_was_ignored_goes_on(lab: Lab, gives_up: bool) -> None:
    """The copy has left its own failure, by which the errback would do nothing."""
    fates: dict[str, Fate] = {**_EXHAUSTED, "patient:action": _SLOW}
    if gives_up:
        fates |= {"hasty:compensation": _BROKEN, "book_flight:compensation": _SLOW}
    started = lab.start(sagas.ESCALATING, fates=fates)
    if gives_up:
        started.until_undo_attempted("book_flight")
    else:
        started.until_attempted("patient")
    client: Any = lab.stack.client
    id = task_id(lab.stack.deployment.native_id(started.workflow_id), "hasty")
    with results_of(lab) as connection:
        key = client._app.backend.get_key_for_task(id)
        stored = json.loads(client._app.backend.client.get(key))
        stored["result"]["exc_message"] = [
            "TombstoneError",
            "compensated before it ran",
            "hasty",
            True,
            False,
        ]
        connection.set(key, json.dumps(stored))
    _kill_workers(lab)
    with results_of(lab) as connection:
        connection.delete("unacked", "unacked_index")
    lab.stack.world.set_fate(started.workflow_id, _EXHAUSTED)

    redrive(started)
    end = started.settled()
    if gives_up:
        assert end.outcome.status is Status.COMPENSATED
        assert end.story == ["book_flight", "undo hasty (nothing)", "undo book_flight"]
    else:
        assert end.outcome.status is Status.COMPLETED
        assert end.story == ["book_flight", "undo hasty (nothing)", "patient", "after"]


def test_a_copy_of_an_exhausted_step_does_not_turn_back_beside_its_escalation(lab: Lab) -> None:
    """A message that is delivered twice meets the tombstone and is declined: too late."""
    fates: dict[str, Fate] = {**_EXHAUSTED, "patient:action": _SLOW}
    started = lab.start(sagas.ESCALATING, fates=fates)
    started.until_attempted("patient")
    lab.stack.world.set_fate(started.workflow_id, {})
    client: Any = lab.stack.client
    state: State = {"id": started.workflow_id, "input": started.input, "results": {"book_flight": None}}
    copy = forward(client._app, lab.stack.deployment, sagas.ESCALATING, state, sagas.ESCALATING.stretch(1))
    copy.apply_async()
    lab.until("the copy was tried", lambda: len(started.trace().attempts("hasty")) == 3)

    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "undo hasty (nothing)", "patient", "after"]


def redrive(started: Started, step: str | None = None) -> str:
    """As an operator asks for it."""
    client: Any = started.lab.stack.client
    assert isinstance(client, CeleryClient)
    return started.lab.ask(lambda _: client.redrive(started.workflow_id, step))


def _outcome_other_than(started: Started, failed: tuple[str, ...]) -> Outcome:
    outcome = started.outcome()
    assert outcome.failed_compensations != failed, "the old outcome is still told"
    return outcome


def _kill_workers(lab: Lab) -> None:
    """And wait until new ones answer, long before the lease of the old ones' messages ends."""
    workers = lab.stack.workers
    assert workers is not None
    before = workers.restarts
    for child in list(workers.children):
        kill_session(child.pid)
    lab.until("new workers", lambda: workers.restarts > before and not workers.not_ready())
