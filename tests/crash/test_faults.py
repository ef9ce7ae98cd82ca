"""Every kind of fault lands on a real engine, is seen to have landed, and leaves a running engine behind."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bakeoff.nemesis import (
    Fault,
    FaultMissedError,
    FaultNotSupportedError,
    Landing,
    NetBlackhole,
    NetLatency,
    NetReset,
    ResultsKill,
    ServerKill,
    ServerPause,
    Target,
    TwoKills,
    WorkerPause,
    WorkerTerm,
    WorkerTermKill,
)
from bakeoff.processes import is_gone, pause_session
from bakeoff.proxy import start_proxy
from bakeoff.servers import ValkeyServer, start_server
from bakeoff.stack import Stack
from bakeoff.world import release
from tests.crash.struck import Site, Struck, site
from tests.processes.traces import until

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One worker, of the engine that is up the fastest."""
    with site(tmp_path_factory.mktemp("alone"), "dramatiq", heartbeat_timeout_s="1") as there:
        yield there


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two workers, and PostgreSQL, as the pause of a worker needs it."""
    folder = tmp_path_factory.mktemp("two")
    with site(folder, "dramatiq", workers=2, ledger="postgres", heartbeat_timeout_s="1") as there:
        yield there


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Workers that reach their server through the proxy; gRPC is the most delicate of the protocols."""
    with site(tmp_path_factory.mktemp("proxied"), "temporal", proxied=True) as there:
        yield there


def restarts(there: Site) -> int:
    assert there.stack.workers is not None
    return there.stack.workers.restarts


def test_a_deployment_with_patience_lets_the_step_end(alone: Site) -> None:
    before = restarts(alone)
    struck = alone.do(WorkerTerm(step_s=0.3))

    struck.completes()
    assert len(struck.attempts()) == 1, "its end was told before the worker ended"
    assert len(struck.landing.ended) == 2, "the master and its child"
    assert all(map(is_gone, struck.landing.ended))
    assert "after SIGTERM with exit code 0" in struck.landing.seen
    until(lambda: restarts(alone) == before + 1, "there is a new worker")


def test_a_worker_that_does_not_end_in_time_voids_the_fault_and_is_replaced(alone: Site) -> None:
    """Paused, it hears no SIGTERM."""

    async def work() -> tuple[int, ...]:
        target = Target(alone.stack, await alone.caught())
        members = pause_session(target.worker().pid)
        with pytest.raises(FaultMissedError, match="did not end within 0 s of SIGTERM"):
            await WorkerTerm(grace_s=0.2).inject(target)
        return members

    before = restarts(alone)
    paused = alone.thread.call(work, 60)

    assert all(map(is_gone, paused))
    until(lambda: restarts(alone) == before + 1, "there is a new worker")


def test_a_deployment_without_patience_kills_the_step(alone: Site) -> None:
    struck = alone.do(WorkerTermKill())

    struck.completes()
    assert struck.landing.seen == "ended of SIGKILL, 1.0 s after SIGTERM", "half of the step's timeout"
    assert len(struck.landing.ended) == 2
    assert all(map(is_gone, struck.landing.ended))
    assert len(set(struck.attempts())) == 2


def test_the_second_kill_comes_when_the_call_comes_again(alone: Site) -> None:
    before = restarts(alone)
    struck = alone.do(TwoKills())

    struck.completes()
    assert len(set(struck.attempts())) == 3, "each in another process"
    assert len(struck.landing.ended) == 4
    assert "when the call came again: processes ended of SIGKILL: 2" in struck.landing.seen
    assert restarts(alone) == before + 2


def test_a_call_that_never_comes_again_does_not_spare_the_second_kill(alone: Site) -> None:
    """Where sagas die with their process, the worker is struck as it is when it is up again."""

    async def work() -> Landing:
        dead_with_it = replace(alone.stack, info=replace(alone.stack.info, in_process=True))
        return await TwoKills().inject(Target(dead_with_it, await alone.caught()))

    landing = alone.thread.call(work, 60)

    assert "when the worker was up again: processes ended of SIGKILL" in landing.seen
    assert all(map(is_gone, landing.ended))


def test_a_killed_server_comes_back(alone: Site) -> None:
    struck = alone.do(ServerKill())

    struck.completes()
    running = alone.stack.servers[0].child
    assert running is not None
    assert running.alive
    assert struck.landing.ended != (running.pid,)


def test_a_paused_server_does_not_answer_until_it_is_healed(alone: Site) -> None:
    running = alone.stack.servers[0]

    async def work() -> Struck:
        async with alone.struck(ServerPause(seconds=0.5)) as struck:
            assert struck.landing.seen == "processes stopped: 1"
            assert struck.landing.ended == ()
            assert len(alone.stopped()) == 1
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await running.server.probe(running.address)
        await running.server.probe(running.address)
        return struck

    struck = alone.thread.call(work, 60)
    assert alone.stopped() == []
    struck.completes()


def test_a_paused_worker_comes_back_as_a_zombie(two: Site) -> None:
    """Another one has taken its call over; it ends its own all the same, without a second effect."""
    paused: list[str] = []

    async def work() -> Struck:
        async with two.struck(WorkerPause()) as struck:
            paused.extend(two.stopped())
        return struck

    struck = two.thread.call(work, 90)

    assert len(paused) == 2, "the master and its child"
    assert two.stopped() == []
    struck.completes()
    assert len(set(struck.attempts())) == 2
    assert restarts(two) == 0, "nobody ended"


Changed = Callable[[Stack], Stack]


@pytest.mark.parametrize(
    ("fault", "changed", "reason"),
    [
        (
            ResultsKill(),
            lambda stack: stack,
            "it has no server of its own for results, only for: broker",
        ),
        (ServerKill(), lambda stack: replace(stack, servers=[]), "it has no server"),
        (
            ServerPause(),
            lambda stack: replace(stack, servers=[replace(stack.servers[0], child=None)]),
            "a server that we did not start is left alone",
        ),
        (NetReset(), lambda stack: stack, "no connection of its workers passes a proxy of ours"),
        (
            WorkerPause(),
            lambda stack: replace(stack, info=replace(stack.info, lease_s=3700.0)),
            "its lease is 3700 s, and none longer than 120 s is waited for",
        ),
        (
            WorkerPause(),
            lambda stack: replace(stack, info=replace(stack.info, in_process=True)),
            "its sagas run in one process: no other one takes over",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    two: Site, fault: Fault, changed: Changed, reason: str
) -> None:
    _refused(two, fault, changed, reason)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda stack: stack, "there is no second worker to take over"),
        (
            lambda stack: replace(stack, workers=_doubled(stack)),
            "a paused writer locks everyone out of SQLite; it needs PostgreSQL",
        ),
    ],
)
def test_a_pause_needs_more_than_one_worker_and_its_own_database(
    alone: Site, changed: Changed, reason: str
) -> None:
    _refused(alone, WorkerPause(), changed, reason)


def _doubled(stack: Stack) -> Any:
    class Doubled:
        children = [*(stack.workers.children if stack.workers else []) * 2]

    return Doubled


def _refused(there: Site, fault: Fault, changed: Changed, reason: str) -> None:
    async def work() -> None:
        at = await there.caught()
        with pytest.raises(FaultNotSupportedError) as refused:
            await fault.inject(Target(changed(there.stack), at))
        release(there.stack.world.engine, at.id)
        assert str(refused.value) == reason

    there.thread.call(work, 60)
    assert there.stopped() == []


def test_leases_are_told_by_what_is_in_force(alone: Site, proxied: Site) -> None:
    async def lease(there: Site) -> float:
        at = await there.caught()
        release(there.stack.world.engine, at.id)
        return Target(there.stack, at).lease_s()

    assert alone.thread.call(lambda: lease(alone), 60) == 1.0, "Dramatiq's heartbeat timeout"
    assert proxied.thread.call(lambda: lease(proxied), 60) == 2.0, "the step's own timeout"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (NetLatency(seconds=1.0), "connections delayed: "),
        (NetBlackhole(seconds=1.0), "connections swallowed: "),
        (NetReset(), "connections reset: "),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_fault_of_the_network_passes(proxied: Site, fault: Fault, seen: str) -> None:
    """The client goes straight to the server: it is the workers' network."""
    struck = proxied.do(fault)

    struck.completes()
    assert struck.landing.seen.startswith(seen)
    assert int(struck.landing.seen.removeprefix(seen)) >= 1
    assert struck.landing.ended == ()
    assert restarts(proxied) == 0


def test_a_fault_of_a_network_without_connections_is_missed(proxied: Site, tmp_path: Path) -> None:
    async def work() -> None:
        stack, at = proxied.stack, await proxied.caught()
        release(stack.world.engine, at.id)
        idle = await start_proxy(stack.servers, stack.launcher, tmp_path)
        with pytest.raises(FaultMissedError, match="no worker had a connection to a server"):
            await NetBlackhole().inject(Target(replace(stack, proxy=idle), at))

    proxied.thread.call(work, 60)


Cancelled = Callable[[Site], Coroutine[Any, Any, None]]


def _cancelled(there: Site, fault: Fault) -> None:
    """Do a fault, and cancel its healing as a Ctrl-C does."""

    async def work() -> None:
        at = await there.caught()
        target = Target(there.stack, at)
        await fault.inject(target)
        healing = asyncio.create_task(fault.heal(target))
        await asyncio.sleep(0.3)
        release(there.stack.world.engine, at.id)
        healing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await healing

    there.thread.call(work, 60)


def test_a_cancelled_pause_leaves_nothing_paused(alone: Site, two: Site) -> None:
    _cancelled(two, WorkerPause())
    assert two.stopped() == []

    _cancelled(alone, ServerPause(seconds=math.inf))
    assert alone.stopped() == []


def test_a_cancelled_fault_of_the_network_leaves_a_good_one(proxied: Site) -> None:
    _cancelled(proxied, NetBlackhole(seconds=math.inf))
    _cancelled(proxied, NetLatency(seconds=math.inf, latency_s=100.0))

    proxied.do(NetReset()).completes(20)


def test_results_are_away_for_a_while_where_a_server_of_its_own_keeps_them(
    alone: Site, tmp_path: Path
) -> None:
    """Any server of that role; the engine's own broker goes on."""

    async def work() -> None:
        stack = alone.stack
        broker = stack.servers[0].child
        results = await start_server(ValkeyServer("results"), stack.launcher, tmp_path)
        target = Target(replace(stack, servers=[*stack.servers, results]), await alone.caught())
        release(stack.world.engine, target.at.id)
        killed = results.child
        assert killed is not None
        landing = await ResultsKill(away_s=0.5).inject(target)
        assert landing.ended == (killed.pid,)
        with pytest.raises(OSError, match="Connect call failed"):
            await results.server.probe(results.address)
        await ResultsKill(away_s=0.5).heal(target)
        await results.server.probe(results.address)
        assert results.child is not killed
        assert stack.servers[0].child is broker
        assert broker is not None
        assert broker.alive

    alone.thread.call(work, 60)
