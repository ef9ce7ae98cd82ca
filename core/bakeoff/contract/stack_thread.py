"""One running engine for synchronous tests: its event loop lives in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from bakeoff.stack import Stack, StackPlan, running_stack

T = TypeVar("T")

#: Seconds that bringing an engine up or down may take before we give up: more than its parts in a row.
_UP_S, _DOWN_S = 240.0, 60.0


class StackThread:
    """Brings a stack up and keeps it until ``stop``; the same task enters and leaves it."""

    def __init__(self, plan: StackPlan) -> None:
        self._plan = plan
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready: Future[Stack] = Future()
        self._thread = threading.Thread(target=self._run, name=f"stack-{plan.engine.name}", daemon=True)
        self._keeper: Future[None] = Future()

    def start(self) -> Stack:
        """Return the running stack; whatever stops it from coming up is raised."""
        self._thread.start()
        return self._ready.result(_UP_S)

    def call(self, work: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """Run a coroutine in the stack's loop and wait for it; ``TimeoutError`` after ``timeout_s``."""
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return future.result(timeout_s)
        finally:
            future.cancel()

    def stop(self) -> None:
        """Take the stack down; whatever goes wrong meanwhile is raised."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(_DOWN_S)
        if self._thread.is_alive():
            raise TimeoutError(f"{self._plan.engine.name} did not go down within {_DOWN_S:.0f} s")
        self._keeper.result(0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep())
            self._keeper.set_result(None)
        except BaseException as error:  # handed to the thread that asked
            if not self._ready.done():
                self._ready.set_exception(error)
                self._keeper.set_result(None)
            else:
                self._keeper.set_exception(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            self._loop.close()

    async def _keep(self) -> None:
        async with running_stack(self._plan) as stack:
            self._ready.set_result(stack)
            await self._end.wait()
