"""One attempt of a step in a thread, with its timeout."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from bakeoff.errors import UnserialisableError
from bakeoff.saga import JSON, Direction, Saga, Step
from bakeoff.telemetry import with_headers
from bakeoff.world import Participant
from bakeoff_choreography.events import Story

#: Threads in which attempts run on after their timeout; the slot is free by then.
SPARE_THREADS = 64


class Attempts:
    """Runs attempts; one that exceeded its timeout goes on in its thread and meets its key or a tombstone."""

    def __init__(self, participant: Participant, slots: int) -> None:
        self.participant = participant
        self._threads = ThreadPoolExecutor(slots + SPARE_THREADS, thread_name_prefix="step")

    async def run(self, saga: Saga, step: Step, direction: Direction, story: Story, attempt: int) -> JSON:
        """Make one attempt and return its result.

        Raises:
            BusinessError: For a decline.
            Exception: For a fault; ``TimeoutError`` if it takes too long.
        """
        call = functools.partial(
            self.participant.perform,
            saga.name,
            step.name,
            direction,
            workflow_id=story.workflow_id,
            input=story.input,
            results=story.results,
            attempt=attempt,
            own_result=story.results.get(step.name) if direction == "compensation" else None,
        )
        timeout = saga.timeout_of(step, direction).total_seconds()
        name = step.name if direction == "action" else step.compensation_name
        future = self._threads.submit(_plain, with_headers(story.headers, call), name)
        done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=timeout)
        if done:
            result: JSON = done.pop().result()
            return result
        future.add_done_callback(_forgotten)
        raise TimeoutError(f"{name} exceeded its start-to-close timeout of {timeout:g} s")

    async def in_thread(self, function: Callable[[], None]) -> None:
        """Run something that blocks."""
        await asyncio.wrap_future(self._threads.submit(function))

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _plain(call: Callable[[], JSON], name: str) -> JSON:
    """Of a step that is not recorded nobody else has looked at the result."""
    result = call()
    try:
        return json.loads(json.dumps(result, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UnserialisableError(f"{name} returned something that is not JSON: {error}") from error


def _forgotten(future: Future[Any]) -> None:
    """Nobody waits for it; what it raised is nobody's business any more."""
    if not future.cancelled():
        future.exception()
