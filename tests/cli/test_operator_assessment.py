"""Why a saga counts as stuck, waiting or moving; on the engine that starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bakeoff.cli.assessment import Assessment, Assessor, Standing, ago
from bakeoff.cli.clients import Connected
from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.engine import Lists
from bakeoff.outcome import Description, Listed, Status
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff.world.progress import read_progress


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine = Plugins().engine("inline")
    settings = resolve("inline", engine.info().settings, ConfigClass.CI)
    folder = tmp_path_factory.mktemp("inline")
    thread = StackThread(
        StackPlan(engine=engine, settings=settings, folder=folder, sagas=("bakeoff.contract.sagas",))
    )
    try:
        yield Lab(thread.start(), thread, "assessed")
    finally:
        thread.stop()


def test_who_made_progress_a_moment_ago_is_moving(lab: Lab) -> None:
    started = lab.start(sagas.LONG_NAPPING)
    started.until_done("book_flight")

    judged = _assess(started, older_than_s=60)
    assert judged.standing is Standing.MOVING
    assert judged.why.startswith("it makes progress: effect of book_flight, ")


def test_who_sleeps_or_waits_is_not_stuck(lab: Lab) -> None:
    asleep = lab.start(sagas.LONG_NAPPING)
    waiting = lab.start(sagas.APPROVAL)
    asleep.until_done("book_flight")
    lab.until("it waits", lambda: waiting.describe().awaiting)

    judged = _assess(asleep)
    assert judged.standing is Standing.WAITING
    assert judged.why.startswith("it sleeps for 1")  # of 14 seconds
    judged = _assess(waiting)
    assert (judged.standing, judged.why) == (Standing.WAITING, "it waits for the signal 'approved'")
    assert judged.then == ""


def test_where_an_engine_describes_nothing_the_ledger_and_the_definition_tell(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any) -> Description | None:
        return None

    monkeypatch.setattr(Assessor, "_describe", silent)
    waiting = lab.start(sagas.APPROVAL)
    waiting.until_done("book_flight")
    working = lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:2"]}})
    working.until_attempted("book_hotel")

    judged = _assess(waiting)
    assert judged.standing is Standing.WAITING
    assert judged.why == "it should be waiting for the signal 'approved', by its definition"
    judged = _assess(working)
    assert (judged.standing, judged.why) == (Standing.STUCK, "nobody seems to work on it")


def test_repeated_attempts_are_no_progress(lab: Lab) -> None:
    started = lab.start(sagas.PIVOT, fates={"pay:action": {"then": "fault"}})
    started.until_attempted("pay", 3)

    judged = _assess(started)
    assert judged.standing is Standing.STUCK
    assert judged.progress is not None
    assert (judged.progress.step.step, judged.progress.step.ordinal) == ("pay", 1)
    assert judged.progress.last.ordinal >= 3
    lab.until("a pause", lambda: _assess(started).then == "repair the reason: it is tried again by itself")
    lab.stack.world.set_fate(started.workflow_id, {})
    assert started.outcome().status is Status.COMPLETED


def test_an_attempt_that_does_not_end(lab: Lab) -> None:
    started = lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:2"]}})
    started.until_attempted("book_hotel")

    judged = _assess(started)
    assert judged.standing is Standing.STUCK
    assert judged.why == "attempt 1 of book_hotel does not end or does not begin"


def test_what_gave_up_is_named_and_what_went_well_is_left_out(lab: Lab) -> None:
    fates: Any = {"book_car:action": {"then": "decline"}, "book_hotel:compensation": {"then": "fault"}}
    failed = lab.settle(sagas.TRIP, fates=fates).started
    well = lab.settle(sagas.TRIP).started

    judged = _assess(failed)
    assert judged.standing is Standing.FAILED
    assert judged.why == "the compensation gave up, so this is not undone: book_hotel"
    assert judged.then.startswith("inline cannot redrive: nothing is kept of a saga beyond its process")
    assert lab.thread.call(lambda: _judge(well, 0), 20) is None


def test_an_engine_that_does_not_know_the_saga_is_quoted(lab: Lab) -> None:
    nobody = Started(lab, sagas.TRIP, "nobody", None)

    judged = _assess(nobody)
    assert judged.standing is Standing.STUCK
    assert "nobody" in judged.why
    assert judged.idle_s is None


def test_progress_is_read_of_many_sagas_at_once(lab: Lab) -> None:
    """More than one statement's placeholders."""
    ends = [lab.start(sagas.TRIP) for _ in range(300)]
    for end in ends:
        end.outcome()

    found = read_progress(lab.stack.world.engine, {end.workflow_id for end in ends} | {"nobody"})
    assert found.keys() == {end.workflow_id for end in ends}
    assert {one.last.step for one in found.values()} == {"send_itinerary"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s ago"), (59.6, "60 s ago"), (150, "2 min ago"), (3 * 3600, "3 h ago"), (5 * 86_400, "5 d ago")],
)
def test_ages_are_readable(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def _assess(started: Started, older_than_s: float = 0.0) -> Assessment:
    judged = started.lab.thread.call(lambda: _judge(started, older_than_s), 20)
    assert judged is not None
    return judged


async def _judge(started: Started, older_than_s: float) -> Assessment | None:
    stack = started.lab.stack
    assert isinstance(stack.client, Lists)
    assessor = Assessor(Connected(stack.engine, stack.deployment, stack.client, {}), older_than_s)
    known = await stack.client.list_sagas(None, 10_000)
    fallback = Listed(started.workflow_id, Status.RUNNING)
    listed = next((one for one in known if one.workflow_id == started.workflow_id), fallback)
    assessor.read([listed])
    return await assessor.assess(listed)
