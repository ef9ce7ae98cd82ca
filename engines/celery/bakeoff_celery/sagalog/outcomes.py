"""Waiting for many outcomes with one poller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from bakeoff.errors import ResultTimeoutError, ServerAwayError
from bakeoff.outcome import Outcome

Look = Callable[[Iterable[str]], Awaitable[Mapping[str, Outcome]]]

#: The poller sleeps for at least so many times as long as its last look took.
_IDLE_RATIO = 4


class Outcomes:
    """Asks the log for everything that is awaited, again and again, while something is."""

    def __init__(self, look: Look, interval_s: float) -> None:
        self._look = look
        self._interval_s = interval_s
        self._awaited: dict[str, asyncio.Future[Outcome]] = {}
        self._callers: dict[str, int] = {}
        self._poller: asyncio.Task[None] | None = None
        self._silence: ServerAwayError | None = None

    async def wait(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Return the outcome of a saga that exists.

        Raises:
            ResultTimeoutError: After ``timeout_s`` seconds; it says so if the log did not answer at the end.
        """
        future = self._awaited.setdefault(workflow_id, asyncio.get_running_loop().create_future())
        self._callers[workflow_id] = self._callers.get(workflow_id, 0) + 1
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(future)
        except TimeoutError:
            if self._silence is not None:
                told = (
                    f"{workflow_id}: whether it settled within {timeout_s:g} s nobody knows: {self._silence}"
                )
                raise ResultTimeoutError(f"{workflow_id}: {told}") from self._silence
            raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s:g} s") from None
        finally:
            self._callers[workflow_id] -= 1
            if not self._callers[workflow_id]:
                del self._callers[workflow_id]
                self._awaited.pop(workflow_id).cancel()

    async def close(self) -> None:
        """Stop asking."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        while self._awaited:
            began = time.monotonic()
            try:
                for workflow_id, outcome in (await self._look(list(self._awaited))).items():
                    future = self._awaited.get(workflow_id)
                    if future is not None and not future.done():
                        future.set_result(outcome)
                self._silence = None
            except ServerAwayError as error:  # it may come back in time
                self._silence = error
            took = time.monotonic() - began
            await asyncio.sleep(max(self._interval_s, _IDLE_RATIO * took))
