"""A deployment of servers and workers, some of which are killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.errors import UsageError
from bakeoff.outcome import Status
from bakeoff.processes import Child, available_cpus, kill_session
from bakeoff.stack import Stack
from bakeoff_bench.meter import ResourceMeter, ResourceUsage, cpu_seconds
from tests.meter.stacks import lab_of

pytestmark = pytest.mark.service

_CPUS = available_cpus() or frozenset({0})
#: The last of them, so that a test that does not keep to it is found out.
_OWN = frozenset({max(_CPUS)})


@pytest.fixture(scope="module")
def celery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    cpus = _OWN if available_cpus() else None
    with lab_of("celery", tmp_path_factory.mktemp("celery"), cpus=cpus) as lab:
        yield lab


def _worker(stack: Stack) -> Child:
    assert stack.workers is not None
    (child,) = stack.workers.children
    return child


def _kill_the_worker(lab: Lab) -> None:
    workers = lab.stack.workers
    assert workers is not None
    before = workers.restarts
    kill_session(_worker(lab.stack).pid)
    lab.until("a new worker is ready", lambda: workers.restarts > before and not workers.not_ready())


def _affinities(stack: Stack) -> dict[str, set[frozenset[int]]]:
    leader = psutil.Process(_worker(stack).pid)
    pool = leader.children(recursive=True)
    assert pool, "the worker has a pool of processes"
    servers = [server.child.pid for server in stack.servers if server.child]
    assert servers
    return {
        "worker": {frozenset(leader.cpu_affinity())},
        "pool": {frozenset(child.cpu_affinity()) for child in pool},
        "servers": {frozenset(psutil.Process(pid).cpu_affinity()) for pid in servers},
    }


@pytest.mark.skipif(len(_CPUS) < 2, reason="with one CPU, or none to choose, every process is on the same")
def test_servers_workers_and_pool_stay_on_their_cpus_over_kills(celery: Lab) -> None:
    kept = {"worker": {_OWN}, "pool": {_OWN}, "servers": {_OWN}}
    assert _affinities(celery.stack) == kept

    _kill_the_worker(celery)
    celery.kill_broker()
    assert celery.settle(sagas.TRIP).outcome.status is Status.COMPLETED

    assert _affinities(celery.stack) == kept
    assert available_cpus() == _CPUS


@pytest.mark.skipif(available_cpus() is None, reason="no CPU can be asked for on this platform")
def test_a_deployment_on_cpus_that_are_not_there_is_refused_before_anything_is_started(
    tmp_path: Path,
) -> None:
    with (
        pytest.raises(UsageError, match=r"no process can be kept on CPUs \[1023\]"),
        lab_of("celery", tmp_path / "none", cpus=frozenset({1023})),
    ):
        pytest.fail("it came up")

    assert not (tmp_path / "none").exists()


def _used_by_the_worker(stack: Stack) -> float:
    """CPU seconds of the worker that is there now, over its whole life."""
    leader = psutil.Process(_worker(stack).pid)
    times = [process.cpu_times() for process in (leader, *leader.children(recursive=True))]
    assert len(times) >= 3, "a leader and a pool of two"
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


@dataclass(frozen=True)
class Measured:
    """Sagas before and after their worker was killed; the client is this process.

    ``victim_s`` and ``heir_s`` are the CPU seconds that the two workers used, by another count.
    """

    bill: ResourceUsage
    victim_s: float
    heir_s: float


@pytest.fixture(scope="module")
def measured(celery: Lab) -> Measured:
    before_s = _used_by_the_worker(celery.stack)
    meter = ResourceMeter(celery.stack, [os.getpid()], every_s=0.1)
    meter.start()
    celery.until(
        "the worker has worked",
        lambda: celery.settle(sagas.TRIP) and _used_by_the_worker(celery.stack) > before_s + 0.4,
    )
    victim_s = _used_by_the_worker(celery.stack) - before_s
    seen = meter.samples[-1].t
    celery.until("a sample with all that it used", lambda: meter.samples[-1].t > seen + 0.2)
    _kill_the_worker(celery)
    celery.settle(sagas.TRIP)
    bill = meter.stop()
    return Measured(bill, victim_s, _used_by_the_worker(celery.stack))


def _cpu_s(meter: ResourceMeter, role: str) -> float:
    """So far."""
    return next((one.cpu_s for one in reversed(meter.samples) if one.role == role), 0.0)


@pytest.fixture
def bill(measured: Measured) -> ResourceUsage:
    return measured.bill


def test_the_bill_names_every_role_and_their_sum(bill: ResourceUsage) -> None:
    parts = {role: usage for role, usage in bill.roles.items() if usage is not None and role != "total"}
    total = bill.total

    assert set(parts) == {"servers", "workers", "client"}
    assert total is not None
    assert total == bill.roles["total"]
    assert all(part.cpu_s > 0 for part in parts.values())
    assert total.cpu_s == pytest.approx(sum(part.cpu_s for part in parts.values()))
    assert all(part.peak_memory_bytes >= part.steady_memory_bytes > 1e6 for part in parts.values())
    assert total.peak_memory_bytes <= sum(part.peak_memory_bytes for part in parts.values())
    assert parts["servers"].most_processes == 1
    assert parts["workers"].most_processes >= 3, "a leader and a pool of two"
    # A child that is just being started, in place of the killed worker, is its parent's for a moment.
    assert parts["client"].most_processes in (1, 2)
    assert 0 < bill.meter_cpu_s < parts["client"].cpu_s


def test_a_killed_worker_stays_on_the_bill(measured: Measured) -> None:
    """CPU seconds only grow, over the moment too at which no worker was there."""
    workers = [row for row in measured.bill.rows() if row["role"] == "workers"]
    cpu_s, processes = ([row[what] for row in workers] for what in ("cpu_s", "processes"))

    assert measured.victim_s > 0.4
    assert cpu_s[-1] == pytest.approx(measured.victim_s + measured.heir_s, abs=0.2)
    assert cpu_s == sorted(cpu_s)
    assert processes[0] == processes[-1]


def test_what_grows_is_told_for_a_thousand_sagas(bill: ResourceUsage) -> None:
    assert bill.total is not None
    per_1000 = bill.per_1000(40)

    assert per_1000["cpu_s.total"] == pytest.approx(bill.total.cpu_s * 25)
    assert bill.stored["servers"] is not None
    assert bill.stored["ledger"] is not None
    assert bill.stored["servers"].apparent_bytes > 1000
    assert bill.stored["ledger"].apparent_bytes > 1000
    assert per_1000["stored_bytes.servers"] == pytest.approx(bill.stored["servers"].apparent_bytes * 25)
    assert per_1000["wire_bytes"] is None
    assert set(bill.per_1000(0).values()) == {None}


def test_a_server_of_the_users_own_has_no_known_cost(celery: Lab, tmp_path: Path) -> None:
    address = celery.stack.deployment.addresses["broker"]
    with lab_of("celery", tmp_path, prefix="guest-", broker_url=address, result_backend=address) as guest:
        meter = ResourceMeter(guest.stack, [os.getpid()])
        meter.start()
        guest.settle(sagas.TRIP)
        usage = meter.stop()

    assert usage.roles["servers"] is None
    assert usage.total is None
    assert usage.stored["servers"] is None
    assert usage.unknown["servers"].startswith("we did not start valkey (")
    assert address not in str(usage.to_json())
    assert usage.roles["workers"] is not None
    assert usage.roles["workers"].cpu_s > 0
    assert {sample.role for sample in usage.samples} == {"workers", "client"}


def test_a_ledger_on_a_server_is_not_the_engines_bill(tmp_path: Path) -> None:
    """PostgreSQL's back ends open sessions of their own, and belong to it all the same."""
    with lab_of("celery-sagalog", tmp_path, ledger="postgres") as lab:
        meter = ResourceMeter(lab.stack, [os.getpid()])
        meter.start()
        lab.until("the ledger has worked", lambda: lab.settle(sagas.TRIP) and _cpu_s(meter, "ledger") > 0.03)
        usage = meter.stop()

    ledger, servers, total = (usage.roles[role] for role in ("ledger", "servers", "total"))
    assert ledger is not None
    assert servers is not None
    assert total is not None
    assert ledger.cpu_s > 0.03
    assert ledger.most_processes > 3
    assert servers.most_processes == 1
    engine = [usage.roles[role] for role in ("servers", "workers", "client")]
    assert total.cpu_s == pytest.approx(sum(one.cpu_s for one in engine if one))
    assert usage.stored["servers"] is not None
    assert usage.stored["servers"].apparent_bytes > 5000, "the saga log is a file without a server"


def test_cpu_seconds_up_to_now_grow_with_work(celery: Lab) -> None:
    """The system counts in hundredths of a second; one trip may take less."""
    before = cpu_seconds([celery.stack])
    assert before > 0.1

    for _ in range(20):
        celery.settle(sagas.TRIP)
        if cpu_seconds([celery.stack]) > before:
            return
    raise AssertionError(f"20 trips took no CPU: still {before} s")
