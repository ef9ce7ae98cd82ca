"""A pool of threads in which an attempt's clock starts when its thread starts."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Slots:
    """Runs functions in at most ``count`` threads; waiting for a thread is not part of any timeout."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="inline-step")
        self._free = asyncio.Semaphore(count)

    async def run(self, function: Callable[..., Any], timeout_s: float) -> Any:
        """Call ``function()`` in a thread; raise ``TimeoutError`` after ``timeout_s`` in it.

        A thread cannot be stopped: after a timeout it goes on, and keeps its slot until it ends.
        """
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future = self._pool.submit(function)
        future.add_done_callback(functools.partial(self._release, loop))
        return await asyncio.wait_for(asyncio.wrap_future(future), timeout_s)

    def _release(self, loop: asyncio.AbstractEventLoop, _future: Future[Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._free.release)

    def close(self) -> None:
        """Start nothing more; do not wait for threads that still run."""
        self._pool.shutdown(wait=False, cancel_futures=True)
