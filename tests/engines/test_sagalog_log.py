"""The log of ``celery-sagalog`` on both databases, without broker and workers: who wins, and who does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import inspect

from bakeoff.contract import sagas
from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError, StartUnknownError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher
from bakeoff.saga import Saga
from bakeoff.servers import PostgresServer, start_server
from bakeoff_celery.sagalog import happenings, rows
from bakeoff_celery.sagalog.heartbeat import renewed
from bakeoff_celery.sagalog.log import SagaLog
from bakeoff_celery.sagalog.place import FILE, create_tables
from bakeoff_celery.sagalog.record import Key, Record
from bakeoff_celery.sagalog.sweeper import give_back, overdue
from tests.engines.sagalog_stack import bare_log, sagalog_deployment, start_trip
from tests.processes.traces import until

SWEEPERS = 4


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Address of a PostgreSQL that starts when somebody asks for it."""
    found: list[str] = []
    with ExitStack() as cleanup:

        def address() -> str:
            if not found:
                folder = tmp_path_factory.mktemp("postgres")
                launcher = cleanup.enter_context(Launcher(folder / "logs"))
                cleanup.callback(launcher.hurry)
                found.append(asyncio.run(start_server(PostgresServer(role="log"), launcher, folder)).address)
            return found[0]

        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path, postgres: Callable[[], str]) -> Deployment:
    if request.param == "sqlite":
        return sagalog_deployment(tmp_path)
    prefix, addresses = f"bakeoff-{tmp_path.name}-", {"log": postgres()}
    return sagalog_deployment(None, prefix=prefix, addresses=addresses, log="postgres")


@pytest.fixture
def log(deployment: Deployment) -> Iterator[SagaLog]:
    with bare_log(deployment) as log:
        yield log


def test_two_sweepers_do_not_double(log: SagaLog) -> None:
    """Four look at the same moment: what is overdue is published once, and soon not again."""
    ids = [f"saga-{number}" for number in range(50)]
    for workflow_id in ids:
        start_trip(log, workflow_id)
    later = time.time() + log.timing.message_lease + 1

    with ThreadPoolExecutor(SWEEPERS) as pool:
        sweeps = pool.map(overdue, [log] * SWEEPERS, [later] * SWEEPERS)
        taken = [message for found in sweeps for message in found]

    assert sorted(message.workflow_id for message in taken) == sorted(ids)
    assert overdue(log, later) == ()


def test_what_could_not_be_published_is_left_to_the_next_sweep(log: SagaLog) -> None:
    start_trip(log, "one")
    now = time.time()
    assert overdue(log, now) == ()
    later = now + log.timing.message_lease + 1
    messages = overdue(log, later)
    give_back(log, messages, later)

    assert overdue(log, later) == messages
    assert [one.workflow_id for one in messages] == ["one"]


def test_one_of_two_messages_takes_the_attempt(log: SagaLog) -> None:
    """The same message ten times at once; the attempt is made once."""
    start_trip(log, "one")
    key: Key = ("book_flight", "action")

    def claim(_: int) -> bool:
        return log.change("one", lambda s, r, now: happenings.claim(s, r, key, 1, now, 60, False))[0]

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(claim, range(10))) == [False] * 9 + [True]


def test_members_that_end_at_once_are_all_counted(log: SagaLog) -> None:
    """Each compares the version of the saga; whoever loses looks again, and the last one goes on."""
    log.start(sagas.PARALLEL, "one", None)
    members: list[Key] = [("left", "action"), ("middle", "action"), ("right", "action")]

    def make(key: Key) -> None:
        assert log.change("one", lambda s, r, now: happenings.claim(s, r, key, 1, now, 60, False))[0]
        log.change("one", lambda saga, record, now: happenings.succeed(record, key, 1, key[0]))

    make(("book_flight", "action"))
    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(make, members))

    record = rows.read(log.engine, "one")
    assert dict(record.results) == {name: name for name in ("book_flight", "left", "middle", "right")}
    assert [entry.step for entry in record.entries.values() if entry.open] == ["after"]


def test_a_happening_that_fails_leaves_nothing(log: SagaLog) -> None:
    start_trip(log, "one")
    before = rows.read(log.engine, "one")

    def fail(saga: Saga, record: Record, now: float) -> None:
        happenings.cancel(saga, record)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        log.change("one", fail)
    assert rows.read(log.engine, "one") == before


def test_deployments_on_one_server_do_not_see_each_other(
    tmp_path: Path, log: SagaLog, deployment: Deployment, postgres: Callable[[], str]
) -> None:
    """On a PostgreSQL that is not ours everything is in one schema that carries the prefix."""
    if deployment.settings["log"] == "sqlite":
        assert (Path(deployment.folder) / FILE).exists()
        return
    start_trip(log, "one")
    addresses = dict(deployment.addresses)
    other = sagalog_deployment(None, prefix="bakeoff-other-", addresses=addresses, log="postgres")
    with bare_log(other) as others:
        start_trip(others, "one")
    schemas = inspect(log.engine).get_schema_names()
    assert {f"{deployment.prefix}sagalog", "bakeoff-other-sagalog"} <= set(schemas)
    assert inspect(log.engine).get_table_names() == []


def test_many_processes_may_create_the_tables(deployment: Deployment) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create_tables, [deployment] * 4))


def test_a_worker_elsewhere_cannot_share_a_file() -> None:
    with pytest.raises(UsageError, match=r"celery-sagalog\.log=postgres"):
        Plugins().engine("celery-sagalog").worker_command(sagalog_deployment(None))


def test_a_start_is_accepted_without_a_broker_and_not_without_a_log(tmp_path: Path) -> None:
    """What counts is the log; that it does not answer is said without password."""
    address = {"log": "postgresql://alice:hunter2@127.0.0.1:1/sagas"}

    async def start() -> bool:
        client = await Plugins().engine("celery-sagalog").connect(sagalog_deployment(tmp_path))
        try:
            return await client.start(sagas.TRIP, "one", None)
        finally:
            await client.close()

    async def start_without_log() -> None:
        deployment = sagalog_deployment(None, addresses=address, log="postgres")
        await Plugins().engine("celery-sagalog").connect(deployment)

    assert asyncio.run(start())
    with pytest.raises(ServerAwayError, match="log server of celery-sagalog") as caught:
        asyncio.run(start_without_log())
    assert "hunter2" not in str(caught.value)
    assert "alice" not in str(caught.value)


def test_a_log_that_goes_away_makes_a_start_unknown(tmp_path: Path) -> None:
    async def start() -> None:
        client = await Plugins().engine("celery-sagalog").connect(sagalog_deployment(tmp_path))
        try:
            (tmp_path / FILE).write_bytes(b"this is no database" * 400)
            for other in ("-wal", "-shm"):
                (tmp_path / f"{FILE}{other}").unlink(missing_ok=True)
            await client.start(sagas.TRIP, "one", None)
        finally:
            await client.close()

    with pytest.raises(StartUnknownError, match="saga log of celery-sagalog"):
        asyncio.run(start())


def _lease(log: SagaLog, key: Key) -> float:
    lease = rows.read(log.engine, "one").entries[key].lease
    assert lease is not None
    return lease


def test_an_attempt_that_acts_keeps_its_lease(tmp_path: Path) -> None:
    """Its process renews it; when the process is gone the lease ends, and the sweeper finds it."""
    key: Key = ("book_flight", "action")

    with bare_log(sagalog_deployment(tmp_path, step_lease="2")) as log:
        lease_s = log.timing.step_lease
        start_trip(log, "one")
        assert log.change("one", lambda s, r, now: happenings.claim(s, r, key, 1, now, lease_s, False))[0]
        with renewed(log, "one", key, 1):
            first = _lease(log, key)
            until(lambda: _lease(log, key) > first + lease_s, "it is renewed again and again", 30)
        until(lambda: _lease(log, key) < time.time(), "it ends", 30)
        ended = rows.read(log.engine, "one").entries[key].lease
        assert ended is not None
        assert [message.attempt for message in overdue(log, ended + 0.01)] == [1]
