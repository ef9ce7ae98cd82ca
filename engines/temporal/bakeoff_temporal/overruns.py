"""Attempts that outlive their start-to-close timeout give their slot back, with ``release_overrun_slots``.

The server has given up on such an attempt, but as shipped the worker keeps its slot until the SDK raises
into the thread, about five seconds later, or, in code that does not come back to Python, until it returns.
Here only the waiting for the thread is cancelled: it runs on, its answer is dropped, and it meets its
idempotency key.
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
        # No task of its own: two more turns of the event loop for every attempt are what one would cost.
        patience = asyncio.timeout((limit + self._patience).total_seconds())
        try:
            async with patience:
                return await self.next.execute_activity(input)
        except TimeoutError:
            if not patience.expired():
                raise  # the step's own
        raise ApplicationError(
            f"{info.activity_type} exceeded its start-to-close timeout of {limit.total_seconds()} s",
            type=STEP_TIMEOUT,
        )
