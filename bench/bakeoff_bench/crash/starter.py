"""The process that starts a saga dies in the middle of it, and somebody starts the same saga again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bakeoff.checkers import Planned
from bakeoff.deployment import DEPLOYMENT_VARIABLE
from bakeoff.errors import StartUnknownError
from bakeoff.history import History
from bakeoff.nemesis import FaultMissedError, Landing
from bakeoff.patience import in_time
from bakeoff.processes import Child, Launch, free_ports, is_gone, kill_session
from bakeoff.saga import Saga
from bakeoff.stack import Stack
from bakeoff_bench.crash.host import PORT_VARIABLE
from bakeoff_bench.crash.hosted import HostedClient

_READY_WITHIN_S = 30.0
_REPEATED_WITHIN_S = 60.0
_POLL_S = 0.05


@asynccontextmanager
async def starter(stack: Stack) -> AsyncIterator[tuple[Child, HostedClient]]:
    """A process that starts sagas when it is asked; of an in-process engine the one in which they run.

    Raises:
        FaultMissedError: If it did not come up.
    """
    if isinstance(stack.client, HostedClient):
        assert stack.workers is not None
        yield stack.workers.children[0], stack.client
        return
    (port,) = free_ports(1)
    env = {DEPLOYMENT_VARIABLE: str(stack.deployment_file), PORT_VARIABLE: str(port)}
    argv = [sys.executable, "-m", "bakeoff_bench.crash.host"]
    child = stack.launcher.start("starter", Launch(argv=argv, env=env, stop_within_s=0))
    try:
        await _answers(child, port)
        yield child, HostedClient(port)
    finally:
        await asyncio.to_thread(stack.launcher.stop, child)


async def _answers(child: Child, port: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            if not child.alive or time.monotonic() > deadline:
                raise FaultMissedError(f"the starter did not come up:\n{child.log_tail()}") from error
            await asyncio.sleep(_POLL_S)
        else:
            writer.close()
            return


async def start_by(client: HostedClient, history: History, saga: Saga, planned: Planned) -> float:
    """Start one saga by the starter; return the seconds that it took."""
    began_s = time.monotonic()
    with history.operation("start", planned.workflow_id) as answer:
        answer.value = await client.start(saga, planned.workflow_id, planned.input)
    return time.monotonic() - began_s


async def kill_starter(
    child: Child, client: HostedClient, history: History, saga: Saga, planned: Planned, after_s: float
) -> Landing:
    """SIGKILL the starter ``after_s`` seconds after it was asked to start a saga; it never tells how it went.

    Raises:
        FaultMissedError: If it did tell: the engine refused the start, or is away.
    """
    asked = asyncio.create_task(_start_untold(client, history, saga, planned))
    await asyncio.sleep(after_s)
    at_s = time.monotonic()
    os.kill(child.pid, signal.SIGKILL)
    await asyncio.to_thread(kill_session, child.pid)
    try:
        await asked
    except StartUnknownError:
        if not is_gone(child.pid):
            raise FaultMissedError(f"process {child.pid} still runs") from None
        return Landing((child.pid,), at_s, f"{1000 * after_s:.1f} ms after it began to start the saga")
    raise FaultMissedError("the start was answered before its process died")


async def _start_untold(client: HostedClient, history: History, saga: Saga, planned: Planned) -> None:
    with history.operation("start", planned.workflow_id) as answer:
        answer.value = await client.start(saga, planned.workflow_id, planned.input, silent=True)


async def start_again(stack: Stack, history: History, saga: Saga, planned: Planned) -> None:
    """Repeat a start until the engine answers.

    Raises:
        StartUnknownError: If it never does.
    """
    deadline = time.monotonic() + _REPEATED_WITHIN_S
    while True:
        try:
            with history.operation("start", planned.workflow_id) as answer:
                async with in_time("start()"):
                    answer.value = await stack.client.start(saga, planned.workflow_id, planned.input)
            return
        except StartUnknownError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_POLL_S)
