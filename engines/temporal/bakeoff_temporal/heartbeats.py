"""Heartbeats of running activities, so that a worker's death is known before the start-to-close timeout.

A step is an ordinary function and knows nothing of heartbeats: the worker sends them for it as long as it
runs. They say that the process lives, not that the step gets on; that is for the timeout to find out.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

#: So many heartbeats fit into the timeout: two may be lost or late.
_PER_TIMEOUT: Final = 3


class KeepInTouch(Interceptor):
    """See the module."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand in front of every activity."""
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await self.next.execute_activity(input)
        beating = asyncio.create_task(_beat(timeout.total_seconds() / _PER_TIMEOUT))
        try:
            return await self.next.execute_activity(input)
        finally:
            beating.cancel()


async def _beat(every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        # Of an activity in a thread the SDK asks this loop and waits for the answer, so not on the loop.
        await asyncio.to_thread(activity.heartbeat)
