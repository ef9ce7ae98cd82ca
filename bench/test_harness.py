"""What the harness itself costs: it is in every other number, or stands beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bakeoff.contract.contestants import Wishes, find_contestants
from bakeoff.engine import EngineClient
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.saga import Call, idempotency_key
from bakeoff.world import World, perform
from bakeoff.world.database import file_url
from bakeoff_bench.judge.synthetic import ENGINE, write_run
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.result import result_of
from bakeoff_bench.suite.bench import Repeated
from bakeoff_bench.suite.facts import about
from bakeoff_bench.suite.proof import prove
from bakeoff_bench.suite.sagas import NOTHING, UNDONE_1
from bakeoff_bench.suite.site import Site, through
from bakeoff_bench.suite.stage import Stage

_GROUP = "harness"
_RECORDS = 10_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A services' database of its own."""
    world = World.create(file_url(tmp_path / "world.db"))
    yield world
    world.close()


@pytest.fixture
def null(stage: Stage) -> Site:
    """``inline``, which is no engine."""
    return stage.site(find_contestants(Wishes(config_class="recommended"))[0])


def test_ledger(repeated: Repeated, world: World) -> None:
    """One step without a service: its attempt, its effect, a transaction for each."""
    services, step, numbers = world.services(), next(UNDONE_1.steps()).name, itertools.count()

    def call() -> Call:
        workflow_id = f"ledger-{next(numbers)}"
        return Call(
            workflow_id=workflow_id,
            step=step,
            direction="action",
            input=None,
            results={},
            attempt=1,
            key=idempotency_key(workflow_id, step, "action"),
        )

    calls = repeated.time(
        _GROUP,
        prepare=call,
        act=lambda one: perform(services, UNDONE_1, one),
        check=lambda one: _both_are_there(world, one),
        rounds=200,
        warm_up=20,
    )

    repeated.tell(what="attempt and effect of one step, SQLite", sagas=len(calls))


def _both_are_there(world: World, call: Call) -> None:
    assert [one.kind for one in world.ledger(workflow_id=call.workflow_id)] == ["attempt", "effect"]


def test_checkers(repeated: Repeated, tmp_path: Path) -> None:
    """A stored run with sagas of every fate, read and judged."""
    made = write_run(tmp_path / "run", _RECORDS)
    results: list[dict[str, Any]] = []

    def found() -> None:
        (engine,) = results.pop()["engines"].values()
        assert {fate: sagas for fate, sagas in engine["counts"].items() if sagas} == made

    repeated.time(
        _GROUP,
        prepare=lambda: RunFolder(tmp_path / "run"),
        act=lambda folder: results.append(result_of(folder)),
        check=lambda _: found(),
        rounds=5,
        warm_up=1,
    )

    repeated.tell(what=f"judge a stored run of {_RECORDS} ledger records", records=_RECORDS, engine=ENGINE)


def test_plugin(repeated: Repeated) -> None:
    """Find an engine by its entry point, load it through the hook, check its claims."""
    found: list[str] = []

    repeated.time(
        _GROUP,
        prepare=Plugins,
        act=lambda plugins: found.append(plugins.engine("inline").name),
        check=lambda _: _is_inline(found),
        rounds=50,
        warm_up=5,
    )

    repeated.tell(what="load one engine by its entry point")


def _is_inline(found: list[str]) -> None:
    assert found.pop() == "inline"


def test_hop(repeated: Repeated, null: Site) -> None:
    """From the thread of the benchmark to the client's event loop and back: the floor of every other time."""
    came: list[EngineClient] = []

    async def nothing(client: EngineClient) -> None:
        came.append(client)

    repeated.time(
        _GROUP,
        prepare=lambda: None,
        act=lambda _: null.do(nothing),
        check=lambda _: _is_client(came, null),
        rounds=200,
        warm_up=20,
    )

    repeated.tell(what="to the client's event loop and back")


def _is_client(came: list[EngineClient], site: Site) -> None:
    assert came.pop() is site.stack.client


def test_null_engine(repeated: Repeated, null: Site) -> None:
    """A saga of one step that does nothing, in-process and without a ledger: start, step and word."""
    sagas = repeated.time(
        _GROUP,
        prepare=lambda: null.prepare(NOTHING),
        act=lambda one: null.do(lambda client: through(client, one)),
        check=lambda one: prove(null, [one]),
        rounds=200,
        warm_up=20,
    )

    assert all(one.outcome is not None and one.outcome.status is Status.COMPLETED for one in sagas)
    repeated.tell(**about(null), what="a saga of one empty step on inline", sagas=len(sagas))
