"""``choreography`` on a running NATS: its log, what dies with a worker, and a server that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.deployment import Deployment
from bakeoff.errors import (
    BakeoffError,
    ResultTimeoutError,
    ServerAwayError,
    UnserialisableError,
    UsageError,
)
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.processes import free_ports, kill_session
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff.world import Aim, Point, arm
from bakeoff_choreography import log as log_module
from bakeoff_choreography.client import ChoreographyClient
from bakeoff_choreography.events import Act, Event, How, Story
from bakeoff_choreography.log import Log

pytestmark = [pytest.mark.service, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine = Plugins().engine("choreography")
    thread = StackThread(
        StackPlan(
            engine=engine,
            settings=resolve(engine.name, engine.info().settings, ConfigClass.CI, {"ack_wait_s": "2"}),
            folder=tmp_path_factory.mktemp("choreography"),
            sagas=("bakeoff.contract.sagas",),
            faults=True,
        )
    )
    stack = thread.start()
    try:
        yield Lab(stack, thread, "choreography")
    finally:
        stack.launcher.hurry()
        thread.stop()


def _said(workflow_id: str, how: How) -> Event:
    return Event("book_car", Act.ACTION, how, Story(saga="trip", workflow_id=workflow_id))


def test_the_log_takes_one_word_about_each_act(lab: Lab) -> None:
    """Whatever it is, and whoever says it: a late success does not stand beside a failure."""
    workflow_id = lab.new_id()

    async def say() -> list[bool]:
        log = await Log.connect(lab.stack.deployment, "test")
        try:
            about = [_said(workflow_id, how) for how in (How.FAILED, How.FAILED, How.DONE)]
            other = replace(about[0], act=Act.COMPENSATION)
            return [await log.append(event) for event in (*about, other, other)]
        finally:
            await log.close()

    assert lab.thread.call(say, 20) == [True, False, False, True, False]


def test_only_attempt_that_dies_with_its_worker_is_compensated(lab: Lab) -> None:
    """Nobody knows what it did: no second attempt is allowed, so it is undone, and the cause says why."""
    started = lab.prepare(sagas.SINGLE)
    arm(lab.stack.world.engine, started.workflow_id, Aim("book_hotel", "action", Point.AFTER_EFFECT))
    assert started.start()
    started.until_done("book_hotel")
    assert lab.stack.workers is not None
    for child in list(lab.stack.workers.children):
        kill_session(child.pid)
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["book_hotel"] == 1
    assert end.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]
    assert end.outcome.cause is not None
    assert "lost with its worker" in end.outcome.cause.message


def test_the_history_is_what_was_said(lab: Lab) -> None:
    end = lab.settle(sagas.TRIP, fates={"book_hotel:action": {"then": "decline"}})

    kinds = [event.kind for event in end.started.event_history()]
    assert kinds == [
        "started",
        "book_flight.action.done",
        "book_hotel.action.failed",
        "book_flight.compensation.over.compensated",
    ]


@pytest.mark.parametrize("id", ["a.b > c *", "ü" * 50, "x" * 500, "100 %"])
def test_any_workflow_id_is_found_again(lab: Lab, id: str) -> None:
    started = lab.start(sagas.TRIP, workflow_id=f"{lab.new_id()} {id}")

    assert started.start() is False
    assert started.settled().outcome.status is Status.COMPLETED
    listed = started.listed()
    assert listed is not None
    assert listed.status is Status.COMPLETED


def test_input_that_fits_into_no_message_is_refused(lab: Lab) -> None:
    with pytest.raises(UnserialisableError, match="fits into no message"):
        lab.prepare(sagas.TRIP, "x" * 2_000_000).start()


def test_a_server_that_is_too_old_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "_OLDEST", (99, 0))

    with pytest.raises(UsageError, match=r"too old for choreography: it needs 99\.0 or newer"):
        lab.thread.call(lambda: Log.connect(lab.stack.deployment, "test"), 20)


def test_two_prefixes_have_logs_of_their_own(lab: Lab) -> None:
    """On a server that is not ours a saga of another deployment is a stranger's."""

    async def look(id: str) -> list[bool]:
        found = []
        for prefix in ("a-", "b.c-"):
            client = await ChoreographyClient.connect(replace(lab.stack.deployment, prefix=prefix))
            found.append(await client.start(sagas.TRIP, id, None))
            await client.close()
        return found

    id = lab.new_id()
    assert lab.thread.call(lambda: look(id), 20) == [True, True]


def _deployment(tmp_path: Path, port: int) -> Deployment:
    declared = Plugins().engine("choreography").info().settings
    return Deployment(
        engine="choreography",
        settings=resolve("choreography", declared, ConfigClass.CI),
        addresses={"broker": f"nats://alice:hunter2@127.0.0.1:{port}"},
        world_url=f"sqlite:///{tmp_path / 'w.db'}",
        sagas=("bakeoff.contract.sagas",),
    )


def test_with_the_server_away_nobody_connects_and_no_credentials_are_shown(tmp_path: Path) -> None:
    deployment = _deployment(tmp_path, free_ports(1)[0])

    with pytest.raises(ServerAwayError, match="broker server of choreography") as caught:
        asyncio.run(ChoreographyClient.connect(deployment))
    assert "hunter2" not in str(caught.value)


def test_a_server_that_comes_back_tells_what_it_was_asked(lab: Lab) -> None:
    """The client waited while it was away; another question meanwhile says that it is."""
    slow = {"book_flight:action": {"first": ["slow:1"]}}
    started = lab.start(sagas.TRIP, fates=slow)  # type: ignore[arg-type]
    server = lab.stack.servers[0]
    assert server.child is not None
    started.until_attempted("book_flight")
    lab.stack.launcher.stop(server.child, 0)

    with pytest.raises(BakeoffError) as caught:
        started.outcome(timeout_s=0.3)
    assert isinstance(caught.value, ResultTimeoutError | ServerAwayError)
    lab.kill_broker()
    assert started.settled().outcome.status is Status.COMPLETED
