"""A pool of threads in which an attempt's clock starts when its thread starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bakeoff_inline.threads import Threads


class Slots:
    """Runs functions in at most ``count`` threads; waiting for a thread is not part of any timeout."""

    def __init__(self, count: int) -> None:
        self._threads = Threads(count)
        self._free = asyncio.Semaphore(count)
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, function: Callable[..., Any], timeout_s: float) -> Any:
        """Call ``function()`` in a thread; raise ``TimeoutError`` after ``timeout_s`` in it.

        A thread cannot be stopped: after a timeout it goes on, and keeps its slot until it ends.
        """
        await self._free.acquire()
        future = asyncio.wrap_future(self._threads.submit(function))
        self._running.add(future)
        future.add_done_callback(self._release)
        done, _ = await asyncio.wait((future,), timeout=timeout_s)
        if not done:
            raise TimeoutError
        return future.result()

    def _release(self, future: asyncio.Future[Any]) -> None:
        self._running.discard(future)
        self._free.release()
        if not future.cancelled():
            future.exception()  # nobody else may ask the one that came too late

    def close(self) -> None:
        """Start nothing more; do not wait for threads that still run."""
        for future in list(self._running):
            future.cancel()  # their threads find a loop that may be closed by then
        self._threads.close()
