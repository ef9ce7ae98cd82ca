"""Workflow code replays what earlier code and this code recorded; a change that cannot is caught here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from bakeoff.cli.options import BUILT_IN_SAGAS
from bakeoff.contract.lab import Lab
from bakeoff.registry import load_sagas
from bakeoff_temporal import catalogue
from bakeoff_temporal.worker import workflow_runner
from bakeoff_temporal.workflows import SagaWorkflow
from tests.engines.shared import Shared
from tests.engines.temporal_histories import (
    FOLDER,
    history_json,
    sagas_whose_worker_died,
    sagas_with_every_turn,
)
from tests.engines.temporal_stack import SAGAS
from tests.tiers import thorough

RECORDED = sorted(FOLDER.glob("*.json"))


@pytest.fixture(autouse=True)
def _sagas() -> Iterator[None]:
    catalogue.publish(load_sagas(SAGAS))
    yield
    catalogue.publish({})


def _replay(text: str, *, sandbox: bool) -> None:
    replayer = Replayer(workflows=[SagaWorkflow], workflow_runner=workflow_runner(sandbox))
    asyncio.run(replayer.replay_workflow(WorkflowHistory.from_json("recorded", text)))


def test_there_are_recorded_histories() -> None:
    """Without them the tests below would pass by doing nothing: turns, crash runs, every saga of ours."""
    names = {file.stem for file in RECORDED}

    assert len(names) >= 43
    assert len({name for name in names if name.startswith("local-")}) >= 10
    assert {name for name in names if name.startswith(("killed-", "server-killed-"))}
    assert {f"{saga}-completed" for saga in load_sagas([BUILT_IN_SAGAS])} <= names


@pytest.mark.parametrize("sandbox", [True, False], ids=["sandbox", "no-sandbox"])
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_recorded_history_replays(file: Path, sandbox: bool) -> None:
    """Histories of earlier versions, kept in the repository, replay on today's code."""
    _replay(file.read_text(), sandbox=sandbox)


@thorough
@pytest.mark.service
@pytest.mark.slow
def test_fresh_histories_replay(shared: Shared) -> None:
    """What this code records now replays too, whatever turn the saga took, and where its worker died."""
    histories = _histories(shared.temporal("fresh"))

    others = ("local-", "server-")
    assert histories.keys() == {file.stem for file in RECORDED if not file.stem.startswith(others)}
    for text in histories.values():
        _replay(text, sandbox=False)


def _histories(lab: Lab) -> dict[str, str]:
    settled = [*sagas_with_every_turn(lab), *sagas_whose_worker_died(lab)]
    return {name: history_json(lab, started.workflow_id) for name, started in settled}


def test_a_crash_shows_in_the_recorded_histories() -> None:
    """Else the recordings of crash runs would be those of quiet ones."""
    for name in ("killed-in-a-step", "killed-in-an-undo", "server-killed-in-a-step"):
        kinds = [event["eventType"] for event in json.loads((FOLDER / f"{name}.json").read_text())["events"]]
        lost = {"EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT", "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT"} & set(kinds)
        attempts = [
            event["activityTaskStartedEventAttributes"]["attempt"]
            for event in json.loads((FOLDER / f"{name}.json").read_text())["events"]
            if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_STARTED"
        ]
        assert lost or max(attempts) > 1, name
    redriven = (FOLDER / "redriven.json").read_text()
    assert "WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW" in redriven


@pytest.mark.parametrize("name", ["scheduled", "local-scheduled"])
def test_saga_that_a_schedule_started_ends_on_the_route_of_that_day(name: str) -> None:
    """Its memo cannot hold the route, because the schedule is older than the saga; its history does."""
    sagas = load_sagas(SAGAS)
    saga = sagas["replay-steps"]
    first, second, *rest = saga.elements
    inserted = replace(second, name="inserted")
    catalogue.publish({**sagas, saga.name: replace(saga, elements=(first, inserted, second, *rest))})

    _replay((FOLDER / f"{name}.json").read_text(), sandbox=False)


def test_saga_with_other_steps_does_not_replay() -> None:
    """The replayer does look: a saga whose steps changed places is refused."""
    sagas = load_sagas(SAGAS)
    saga = sagas["replay-steps"]
    first, second, *rest = saga.elements
    catalogue.publish({**sagas, saga.name: replace(saga, elements=(second, first, *rest))})

    with pytest.raises(NondeterminismError):
        _replay((FOLDER / "completed.json").read_text(), sandbox=False)
