"""A supervised set of worker processes of one engine: counted, restarted, killable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence

from bakeoff.errors import ServerStartError
from bakeoff.processes.child import Child, kill_session
from bakeoff.processes.launcher import Launch, Launcher

#: So many workers in a row may end before they announce themselves; then they are given up.
_FAILED_STARTS_ALLOWED = 3
_POLL_S = 0.1


class Workers:
    """Keeps ``count`` worker processes running.

    A worker's leader that ends takes its whole session along (Dramatiq's children survive their master
    otherwise) and is started again; ``restarts`` counts that. One worker may be several processes (``each``),
    which are supervised one by one. ``ready_pids`` must return the process ids
    that announced themselves: a worker that was killed after that is no failed start, however early it was.
    """

    def __init__(
        self,
        launcher: Launcher,
        name: str,
        launch: Launch,
        ready_pids: Callable[[], Sequence[int]],
        each: int = 1,
    ) -> None:
        self._launcher = launcher
        self._name = name
        self._launch = launch
        self._ready_pids = ready_pids
        self._each = each
        self._supervisor: asyncio.Task[None] | None = None
        self._announced: set[int] = set()
        self._number = 0
        self._failed_starts = 0
        self.children: list[Child] = []
        #: What ends is not started again as long as this is set.
        self.held = False
        self.restarts = 0
        self.failure: ServerStartError | None = None

    async def start(self, count: int, ready_within_s: float = 30.0) -> None:
        """Start ``count`` (more) workers and wait until each of their processes has announced itself.

        Raises:
            ServerStartError: If one ended or did not announce itself in time, with its log's last lines.
        """
        for _ in range(count * self._each):
            self._spawn()
        deadline = time.monotonic() + ready_within_s
        while waiting := self.not_ready():
            for child in waiting:
                if not child.alive:
                    raise ServerStartError(
                        f"{child.name} ended at once "
                        f"(exit code {child.popen.returncode}):\n{child.log_tail()}"
                    )
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"{waiting[0].name} was not ready within {ready_within_s:.0f} s:\n{waiting[0].log_tail()}"
                )
            await asyncio.sleep(_POLL_S / 4)
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise())

    def _spawn(self) -> Child:
        self._number += 1
        child = self._launcher.start(f"{self._name}-{self._number}", self._launch)
        self.children.append(child)
        return child

    def not_ready(self) -> list[Child]:
        """The workers that have not announced themselves yet."""
        ready = set()
        for pid in self._ready_pids():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                ready.add(os.getsid(pid))
        self._announced = {child.pid for child in self.children if child.pid in self._announced | ready}
        return [child for child in self.children if child.pid not in self._announced]

    async def _supervise(self) -> None:
        while self.failure is None:
            await asyncio.sleep(_POLL_S)
            if self.held:
                continue
            if not self._announced.issuperset(child.pid for child in self.children):
                self.not_ready()
            for child in [child for child in self.children if not child.alive]:
                self._failed_starts = 0 if child.pid in self._announced else self._failed_starts + 1
                self.children.remove(child)
                await asyncio.to_thread(kill_session, child.pid)
                self._launcher.stop(child, 0)
                if self._failed_starts >= _FAILED_STARTS_ALLOWED:
                    self.failure = ServerStartError(
                        f"{child.name} keeps ending at its start:\n{child.log_tail()}"
                    )
                    return
                try:
                    self._spawn()
                except ServerStartError as error:
                    self.failure = error
                    return
                self.restarts += 1

    async def stop(self) -> None:
        """Stop supervising, then every worker, all at the same time; a cancellation waits for its end."""
        stopping = asyncio.create_task(self._stop())
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            # Threads go on without us, and whoever closes the launcher next would stop the same children.
            await asyncio.wait([stopping])
            raise

    async def _stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
            if not self._supervisor.cancelled():
                self._supervisor.result()
            self._supervisor = None
        children, self.children = self.children, []
        await asyncio.gather(*(asyncio.to_thread(self._launcher.stop, child) for child in children))
