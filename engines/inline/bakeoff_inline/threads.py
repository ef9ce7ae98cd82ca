"""Threads that do not hold up the end of the process.

``ThreadPoolExecutor`` joins its threads when the interpreter ends, so one step that sleeps on after its
timeout would keep a finished command from returning. These are daemons.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

#: Told in the thread what a function ended with: its future, its result, or its error.
Ended = Callable[[asyncio.Future[Any], Any, BaseException | None], None]


class Threads:
    """At most ``count`` daemon threads, started when they are needed."""

    def __init__(self, count: int, ended: Ended) -> None:
        self._count = count
        self._ended = ended
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._tasks: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def submit(self, future: asyncio.Future[Any], function: Callable[[], Any]) -> None:
        """Call ``function()`` in a thread; to be called from one thread only."""
        self._tasks.put((future, function))
        if not self._idle.acquire(blocking=False) and self._started < self._count:
            self._started += 1
            threading.Thread(target=self._work, name=f"inline-step-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, function = task
            try:
                result = function()
            except BaseException as error:  # it belongs to whoever waits for the future
                self._ended(future, None, error)
            else:
                self._ended(future, result, None)
                del result
            del task, future, function  # an idle thread keeps nothing alive
            self._idle.release()

    def close(self) -> None:
        """Let idle threads end, and busy ones after what they are doing."""
        for _ in range(self._started):
            self._tasks.put(None)
