"""Note, durability and claims are true for every setting, not for the usual ones only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.engine import Capability, EngineInfo, Support, Survives
from bakeoff.errors import NotSupportedError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from tests.engines.temporal_stack import temporal_lab

STEP, RESTART = {Survives.STEP_KILL}, {Survives.BROKER_RESTART}
WORKER, BROKER = {*STEP, Survives.WORKER_KILL}, {*RESTART, Survives.BROKER_KILL}
SKIPPING = {"server": "time-skipping"}


def _info(engine: str, overrides: dict[str, str]) -> EngineInfo:
    plugin = Plugins().engine(engine)
    return plugin.info(resolve(engine, plugin.info().settings, ConfigClass.RECOMMENDED, overrides))


@pytest.mark.parametrize(
    ("engine", "overrides", "survives"),
    [
        ("temporal", {}, WORKER | BROKER),
        ("temporal", {"database": "file"}, WORKER | BROKER),
        ("temporal", {"database": "memory"}, WORKER),
        ("temporal", SKIPPING, WORKER),
        ("temporal", {"address": "theirs:7233"}, WORKER),
        ("celery", {}, STEP | RESTART),
        ("celery", {"appendonly": "no"}, STEP),
        ("celery", {"task_acks_late": "no"}, set()),
        ("celery", {"broker": "rabbitmq"}, WORKER | BROKER),
        ("celery", {"broker": "rabbitmq", "task_acks_late": "no"}, set()),
        ("temporal", {"local_activities": "yes"}, WORKER | BROKER),
        ("celery", {"pool": "threads"}, STEP | RESTART),
        ("celery", {"pool": "threads", "task_acks_late": "no"}, set()),
        ("celery", {"pool": "threads", "broker": "rabbitmq"}, WORKER),
        ("celery", {"broker": "rabbitmq", "task_reject_on_worker_lost": "no"}, set()),
        ("celery", {"broker": "rabbitmq", "confirm_publish": "no"}, WORKER),
        ("celery", {"broker": "rabbitmq", "appendonly": "no"}, WORKER),
        ("celery", {"broker": "rabbitmq", "result_backend": "redis://theirs"}, WORKER),
        ("choreography", {}, WORKER | BROKER),
        ("choreography", {"sync_always": "no"}, WORKER | BROKER),
        ("choreography", {"broker_url": "nats://theirs"}, WORKER),
        ("celery-sagalog", {"broker_url": "redis://theirs"}, WORKER | BROKER),
        ("celery-sagalog", {"log": "postgres", "log_url": "postgresql://theirs"}, WORKER),
        ("dramatiq", {}, WORKER | RESTART),
        ("dramatiq", {"appendonly": "no"}, WORKER),
        ("dramatiq", {"broker": "rabbitmq"}, WORKER | BROKER),
        ("dramatiq", {"broker": "rabbitmq", "connection_retries": "0"}, WORKER),
        ("dramatiq", {"broker": "rabbitmq", "appendonly": "no"}, WORKER),
        ("dramatiq", {"broker": "rabbitmq", "own_tags": "no"}, WORKER),
        ("dramatiq", {"broker": "rabbitmq", "results_url": "redis://theirs"}, WORKER),
    ],
)
def test_what_survives_follows_the_settings(
    engine: str, overrides: dict[str, str], survives: set[Survives]
) -> None:
    assert _info(engine, overrides).survives == survives


def test_the_note_names_the_server_that_runs() -> None:
    assert "SQLite (wal)" in _info("temporal", {}).note
    assert "SQLite" not in _info("temporal", SKIPPING).note
    assert "in memory" in _info("temporal", SKIPPING).note
    assert "your own" in _info("temporal", {"address": "theirs:7233"}).note


def test_threads_have_no_timeouts() -> None:
    """Celery's pool of threads; everything else stands."""
    prefork, threads = _info("celery", {}).claims, _info("celery", {"pool": "threads"}).claims

    assert threads[Capability.TIMEOUT].support is Support.ABSENT
    assert "no time limit" in threads[Capability.TIMEOUT].reason
    assert {c for c in Capability if prefork[c].support is not threads[c].support} == {Capability.TIMEOUT}


def test_local_activities_are_declared_as_they_are() -> None:
    """No cancel, the lease of a workflow task, and what the workflow has to do itself."""
    told = _info("temporal", {"local_activities": "yes"})

    pattern = {Capability.RETRY, Capability.OWN_UNDO, Capability.PIVOT}
    assert {c for c, claim in told.claims.items() if claim.support is Support.ABSENT} == {Capability.CANCEL}
    assert {c for c, claim in told.claims.items() if claim.support is Support.PATTERN} == pattern
    assert (told.lease_s, told.repeats_saga) == (10, True)
    assert "whole workflow task" in told.note
    assert _info("temporal", {}).lease_s is None


@pytest.fixture(scope="module")
def skipping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with temporal_lab(Path(tmp_path_factory.mktemp("skipping")), "skipping", overrides=SKIPPING) as lab:
        yield lab


@pytest.mark.service
def test_the_test_server_can_what_is_claimed_of_it(skipping: Lab) -> None:
    """Signals count once, a closed saga tells its history, and what it cannot do is declared absent."""
    claims = skipping.stack.engine.info(skipping.stack.deployment.settings).claims

    async def use(client: Any) -> tuple[bool, bool, str, str, int]:
        assert await client.start(sagas.APPROVAL, "one", None)
        first = await client.signal("one", "approved", "s1", {"by": "x"})
        again = await client.signal("one", "approved", "s1", {"by": "x"})
        outcome = await client.result("one", 20)
        described = await client.describe("one")
        events = await client.event_history("one")
        return first, again, str(outcome.status), str(described.status), len(events)

    async def list_them(client: Any) -> object:
        return await client.list_sagas()

    async def schedule_one(client: Any) -> None:
        await client.schedule(sagas.SINGLE, "one", timedelta(days=30))

    first, again, *statuses, events = skipping.ask(use)

    assert (first, again) == (True, False)
    assert statuses == ["completed", "completed"]
    assert events > 0
    absent = {c for c, claim in claims.items() if claim.support is not Support.NATIVE}
    assert absent == {Capability.LIST, Capability.SCHEDULES, Capability.CATCH_UP}
    with pytest.raises(NotSupportedError, match="unimplemented"):
        skipping.ask(list_them)
    with pytest.raises(NotSupportedError, match="unimplemented"):
        skipping.ask(schedule_one)
