"""Starts and names: the unique row, what a crash leaves of it, and other people's servers."""

from __future__ import annotations

import asyncio
import functools
import threading
from pathlib import Path
from typing import Any

import pytest
import redis

from bakeoff.contract import sagas as contract
from bakeoff.contract.lab import Lab
from bakeoff.errors import NotSupportedError, UsageError, WorkflowConflictError, WorkflowNotFoundError
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher
from bakeoff.servers import ValkeyServer, start_server
from bakeoff.settings import ConfigClass, resolve
from bakeoff_celery import rows
from bakeoff_celery.app import make_app
from bakeoff_celery.state import StepFailed, errback_name, to_json
from tests.engines import celery_sagas as sagas
from tests.engines.celery_stack import celery_lab, results_of
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.celery("rows", broker="valkey")


def _leave_row(lab: Lab, workflow_id: str, input: object) -> None:
    """Leave what a starter leaves that dies between its row and the publication."""
    row = rows.Start.new(contract.TRIP.name, to_json(input, "input"))
    with results_of(lab) as client:
        client.set(rows.start_key(lab.stack.deployment, workflow_id), row.text())


def test_start_that_crashed_before_its_publication_is_published_again(lab: Lab) -> None:
    started = lab.prepare(contract.TRIP)
    _leave_row(lab, started.workflow_id, started.input)

    assert started.start() is False
    settled = started.settled()

    assert settled.outcome.status is Status.COMPLETED
    assert set(settled.counts.values()) == {1}
    assert started.start() is False


def test_crashed_start_with_another_input_is_a_conflict(lab: Lab) -> None:
    started = lab.prepare(contract.TRIP)
    _leave_row(lab, started.workflow_id, "something else")

    with pytest.raises(WorkflowConflictError, match=started.workflow_id):
        started.start()


def test_errback_is_a_task_of_its_own(lab: Lab) -> None:
    """Celery decides so by this very test; the other form runs unretried in whatever process failed."""
    app = make_app(lab.stack.deployment, {contract.TRIP.name: contract.TRIP})
    errback: Any = app.tasks[errback_name(contract.TRIP)]

    assert isinstance(errback.__header__, functools.partial)


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # Celery's own call
def test_retry_that_is_noted_late_does_not_hide_the_failure(lab: Lab) -> None:
    """Celery publishes a retry before it notes it; the next attempt may be faster than the note."""
    app = make_app(lab.stack.deployment, {contract.TRIP.name: contract.TRIP})
    backend: Any = app.backend
    backend.store_result("late", StepFailed("OSError", "the last attempt", "book_car", True), "FAILURE")
    backend.mark_as_retry("late", StepFailed("OSError", "the one before", "book_car", True))

    meta = backend.get_task_meta("late", cache=False)
    assert (meta["status"], meta["result"].message) == ("FAILURE", "the last attempt")


def test_errback_that_comes_too_late_changes_nothing(lab: Lab) -> None:
    """A message delivered twice may take two ways; the saga that has settled stays as it is."""
    settled = lab.settle(contract.TRIP)
    app = make_app(lab.stack.deployment, {contract.TRIP.name: contract.TRIP})
    task_id = settled.started.workflow_id
    app.tasks[errback_name(contract.TRIP)].apply_async((f"{task_id}:book_car", "book_car"), task_id=task_id)
    lab.settle(contract.TRIP)

    lab.never("a compensation", lambda: len(settled.started.trace().records) != len(settled.trace.records), 1)
    assert settled.started.outcome() == settled.outcome
    pools: Any = app
    pools.amqp.producer_pool.force_close_all()


@pytest.mark.parametrize(("saga", "what"), [(sagas.LONG_SLEEP, "nap"), (sagas.PATIENT, "odd")])
def test_delay_beyond_the_lease_is_refused(lab: Lab, saga: object, what: str) -> None:
    started = lab.prepare(saga)  # type: ignore[arg-type]

    with pytest.raises(NotSupportedError, match=rf"{what}.*celery\.visibility_timeout=12"):
        started.start()
    with pytest.raises(WorkflowNotFoundError):
        started.outcome(1)


def test_many_waiting_callers_cost_no_threads(lab: Lab) -> None:
    """A thousand futures, one connection."""
    started = [lab.start(sagas.NAP, "") for _ in range(20)]
    client = lab.stack.client
    before = threading.active_count()  # of whatever else runs in this process

    async def wait_for_all() -> int:
        waiting = [
            asyncio.create_task(client.result(item.workflow_id, 30)) for item in started for _ in range(50)
        ]
        await asyncio.sleep(0.3)
        threads = threading.active_count()
        outcomes = await asyncio.gather(*waiting)
        assert {outcome.status for outcome in outcomes} == {Status.COMPLETED}
        return threads

    assert lab.thread.call(wait_for_all, 40) < before + 20


def test_every_name_on_a_foreign_server_is_prefixed(tmp_path: Path) -> None:
    """Nothing of the owner is touched, nothing of ours lies among it."""
    with Launcher(tmp_path / "logs") as launcher:
        server = asyncio.run(start_server(ValkeyServer(role="mine"), launcher, tmp_path / "mine"))
        owner: Any = redis.Redis.from_url(server.address)
        owner.set("celery-task-meta-of-the-owner", "precious")
        with celery_lab(tmp_path / "lab", broker_url=server.address, prefix="guest-") as lab:
            assert lab.stack.deployment.external == ("broker",)
            lab.settle(contract.TRIP, fates={"book_car:action": {"then": "decline"}})
            lab.settle(contract.PARALLEL)
            waiting = lab.start(contract.APPROVAL)
            lab.until("a parked saga", lambda: waiting.describe().awaiting)
            keys = {key.decode() for key in owner.keys("*")}
            channels = {channel.decode() for channel in owner.pubsub_channels()}
        after = {key.decode() for key in owner.keys("*")}
        assert owner.get("celery-task-meta-of-the-owner") == b"precious"
        owner.close()

    assert len(keys) > 5
    assert {key for key in keys | after if not key.startswith("guest-")} == {"celery-task-meta-of-the-owner"}
    assert all(channel.startswith(("guest-", "/guest-")) for channel in channels), channels


def test_address_of_the_wrong_kind_is_refused_without_showing_it() -> None:
    engine = Plugins().engine("celery")
    settings = resolve(
        "celery", engine.info().settings, ConfigClass.CI, {"broker_url": "http://me:secret@host/"}
    )

    with pytest.raises(UsageError, match=r"celery\.broker_url must be .* redis://") as refused:
        engine.servers(settings)
    assert "secret" not in str(refused.value)
    assert "secret" not in str(settings.shown())
