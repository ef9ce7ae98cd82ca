"""A pool of threads in which an attempt's clock starts when its thread starts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from bakeoff_inline.threads import Threads


class Slots:
    """Runs functions in at most ``count`` threads; waiting for a thread is not part of any timeout.

    Belongs to the loop that it is made in.
    """

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = Threads(count, self._ended)
        self._free = asyncio.Semaphore(count)
        #: What threads have ended with, on its way to the loop: ``(future, result, error)``.
        self._endings: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._told = False

    async def run(self, function: Callable[[], Any], timeout_s: float) -> Any:
        """Call ``function()`` in a thread; raise ``TimeoutError`` after ``timeout_s`` in it.

        A thread cannot be stopped: after a timeout it goes on, and keeps its slot until it ends.
        """
        await self._free.acquire()
        future = self._loop.create_future()
        self._threads.submit(future, function)
        timer = self._loop.call_later(timeout_s, self._expire, future)
        try:
            return await future
        finally:
            timer.cancel()

    @staticmethod
    def _expire(future: asyncio.Future[Any]) -> None:
        if not future.done():
            future.set_exception(TimeoutError())

    def _ended(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Called in a thread. Waking the loop costs more than a step, so it is woken once for many."""
        self._endings.append((future, result, error))
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._hand_over)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

    def _hand_over(self) -> None:
        self._told = False  # before the queue is looked at: what comes later tells again
        while self._endings:
            future, result, error = self._endings.popleft()
            self._free.release()
            if future.done():  # it came too late
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def close(self) -> None:
        """Start nothing more; do not wait for threads that still run."""
        self._threads.close()
