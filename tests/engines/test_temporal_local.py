"""Steps as local activities: one workflow task, what it forgets, and what is done about that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import PIVOT
from bakeoff.errors import NotSupportedError, UsageError
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.processes import kill_session
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff_temporal.markers import local_activity, task_was_lost
from bakeoff_temporal.server import TemporalServer
from tests.engines import replay_sagas as sagas
from tests.engines.temporal_histories import FOLDER
from tests.engines.temporal_stack import temporal_lab

service = pytest.mark.service


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = Path(tmp_path_factory.mktemp("local"))
    with temporal_lab(folder, "local", overrides={"local_activities": "yes"}) as lab:
        yield lab


def _recorded(name: str) -> Any:
    return WorkflowHistory.from_json("recorded", (FOLDER / f"{name}.json").read_text()).events


def _kinds(lab: Lab, workflow_id: str) -> list[str]:
    async def fetch() -> list[str]:
        client: Any = lab.stack.client
        return [event.kind for event in await client.event_history(workflow_id)]

    return lab.thread.call(fetch, 20)


@service
def test_a_saga_without_retries_is_one_workflow_task(lab: Lab) -> None:
    """And no activity of the server; its history names every step all the same."""
    settled = lab.settle(sagas.STEPS)
    kinds = _kinds(lab, settled.started.workflow_id)
    events = settled.started.event_history()

    assert settled.outcome.status is Status.COMPLETED
    assert kinds.count("workflow_task_completed") == 1
    assert not [kind for kind in kinds if kind.startswith("activity_task")]
    steps = [event.detail for event in events if event.kind == "marker_recorded"]
    assert steps == [step.name for step in sagas.STEPS.steps()]


@service
def test_what_turns_a_saga_around_is_written_down_before_it_is_undone(lab: Lab) -> None:
    """Between the marker of the decline and that of the first undo lies the end of a workflow task."""
    settled = lab.settle(sagas.STEPS, fates={"three:action": {"then": "decline"}})
    told = [(event.kind, event.detail) for event in settled.started.event_history()]
    names = [detail.partition(",")[0] for _, detail in told]
    between = [kind for kind, _ in told[names.index("three") : names.index("undo")]]

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.counts == {"one": 1, "two": 1, "three": 1, "undo two": 1, "undo one": 1}
    assert "timer_fired" in between


@service
def test_attempts_that_ended_stay_counted_when_the_worker_dies(lab: Lab) -> None:
    """The pause between two attempts is a timer of the server, and the workflow tells why it pauses."""
    fates: Any = {"one:action": {"first": ["fault"]}}
    started = lab.start(sagas.PATIENT, fates=fates)
    lab.until("the pause", lambda: started.describe().next_retry_at)
    found = started.describe()
    assert (found.current_step, found.attempt) == ("one", 2)
    assert "InjectedFault" in str(found.last_error)
    assert lab.stack.workers is not None
    for child in list(lab.stack.workers.children):
        kill_session(child.pid)

    again = lab.until("a new worker's word", lambda: started.describe().next_retry_at)
    assert started.describe().attempt == 2
    # A workflow's time stands still in a task; one that is replayed may see the next task's, a little later.
    assert again == pytest.approx(found.next_retry_at, abs=30), "the pause is ten minutes, and not begun anew"


@service
def test_a_cancel_is_refused_and_one_from_elsewhere_is_ignored(lab: Lab) -> None:
    """The workflow would not know any more what it has to undo."""
    started = lab.start(PIVOT, fates={"pay:action": {"first": ["fault"] * 4}})
    with pytest.raises(NotSupportedError, match="local_activities"):
        started.cancel()

    async def cancel_as_the_web_page_does() -> None:
        client: Any = lab.stack.client
        await client._handle(started.workflow_id).cancel()

    lab.thread.call(cancel_as_the_web_page_does, 20)
    assert started.settled().outcome.status is Status.COMPLETED


@service
def test_a_saga_goes_on_as_it_began(lab: Lab) -> None:
    """New workers without the setting make its steps locally, because its start says so."""
    stack, workers = lab.stack, lab.stack.workers
    assert workers is not None
    old = stack.deployment
    settings = replace(old.settings, values={**old.settings.values, "local_activities": False})
    started = lab.start(sagas.WAIT)
    started.until_done("one")

    async def exchange(deployment: Any) -> None:
        await workers.stop()
        deployment.save(stack.deployment_file)
        await workers.start(1)

    lab.thread.call(lambda: exchange(replace(old, settings=settings)), 60)
    try:
        started.signal("word", {"by": "Grace"})
        assert started.settled().outcome.status is Status.COMPLETED
        assert not [k for k in _kinds(lab, started.workflow_id) if k.startswith("activity_task")]
    finally:
        lab.thread.call(lambda: exchange(old), 60)


def test_a_lost_task_is_told_from_one_that_had_not_begun() -> None:
    """In recorded histories: killed in a step, quiet, and reset by an operator."""
    assert task_was_lost(_recorded("local-killed-in-a-step"))
    assert not task_was_lost(_recorded("local-declined"))
    assert not task_was_lost(_recorded("local-redriven"))
    # Its worker died while it waited: the next task waited in vain in that worker's own queue.
    waited = _recorded("killed-waiting")
    assert any(event.HasField("workflow_task_timed_out_event_attributes") for event in waited)
    assert not task_was_lost(waited)


def test_markers_tell_step_and_direction() -> None:
    found = [one for event in _recorded("local-declined") if (one := local_activity(event)) is not None]

    assert [one["activity_id"] for one in found] == [
        "one",
        "two",
        "three",
        "two:compensation",
        "one:compensation",
    ]
    assert {local_activity(event) for event in _recorded("declined")} == {None}


def _settings(**overrides: str) -> SettingsInForce:
    declared = Plugins().engine("temporal").info().settings
    return resolve("temporal", declared, ConfigClass.RECOMMENDED, overrides)


def test_eager_activities_are_a_matter_of_the_dev_server(tmp_path: Path) -> None:
    """Its own switch, left alone unless asked for."""
    ports = dict.fromkeys(("frontend", "ui", "http", "metrics"), 1)
    switch = "system.enableActivityEagerExecution=true"

    assert switch in TemporalServer(_settings(eager_activities="yes")).launch(tmp_path, ports).argv
    assert switch not in TemporalServer(_settings()).launch(tmp_path, ports).argv


def test_one_poller_of_workflow_tasks_is_refused() -> None:
    """The worker would not start; autoscaling and two would."""
    engine = Plugins().engine("temporal")

    with pytest.raises(UsageError, match="give 0, or 2 and more"):
        engine.servers(_settings(workflow_pollers="1"))
    for number in ("0", "2"):
        assert engine.servers(_settings(workflow_pollers=number))


def test_windows_are_those_of_local_activities() -> None:
    engine: Any = Plugins().engine("temporal")
    windows = engine.windows(sagas.STEPS, _settings(local_activities="yes"))

    assert {window.aim.point for window in windows} == {"local_activity_completed"}
    assert {w.aim.point for w in engine.windows(sagas.STEPS, _settings())} == {"activity_completed"}
