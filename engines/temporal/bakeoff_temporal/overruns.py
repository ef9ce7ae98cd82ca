"""Attempts that outlive their start-to-close timeout give their slot back, with ``release_overrun_slots``.

The server has given up on such an attempt, but as shipped the worker keeps its slot until the SDK raises
into the thread, about five seconds later, or, in code that does not come back to Python, until it returns.
Here the thread runs on, its answer is dropped, and it meets its idempotency key.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from bakeoff_temporal.failures import STEP_TIMEOUT

#: Threads beyond the slots, for attempts that run on.
SPARE_THREADS: Final = 64
#: The server is the one that times out; only when it must have done so do we stop listening.
_MARGIN: Final = timedelta(milliseconds=250)


class GiveSlotsBack(Interceptor):
    """See the module.

    Attributes:
        patience: How long after the timeout; ``timers_late_by`` is how late the server's own may strike.
    """

    def __init__(self, timers_late_by: timedelta) -> None:
        self.patience = timers_late_by + _MARGIN

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand in front of every activity."""
        return _Inbound(next, self.patience)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, patience: timedelta) -> None:
        super().__init__(next)
        self._patience = patience

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        limit = info.start_to_close_timeout
        if limit is None:
            return await self.next.execute_activity(input)
        attempt = asyncio.ensure_future(self.next.execute_activity(input))
        await asyncio.wait([attempt], timeout=(limit + self._patience).total_seconds())
        if attempt.done():
            return attempt.result()
        attempt.add_done_callback(_drop)
        raise ApplicationError(
            f"{info.activity_type} exceeded its start-to-close timeout of {limit.total_seconds()} s",
            type=STEP_TIMEOUT,
        )


def _drop(attempt: asyncio.Future[Any]) -> None:
    """Look at the late answer, so that asyncio does not complain that nobody did."""
    if not attempt.cancelled():
        attempt.exception()
