"""Whoever sends the signals that sagas under fault wait for, and does not give up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from bakeoff.engine import EngineClient, Signals
from bakeoff.errors import SignalRejectedError
from bakeoff.history import History
from bakeoff_scenarios.answers import ANSWER

_AGAIN_S = 0.2


async def deliver(client: EngineClient, history: History, workflow_id: str, wait: str) -> None:
    """Send one signal until the engine takes it, or says that it comes too late."""
    assert isinstance(client, Signals)
    while True:
        try:
            with history.operation("signal", workflow_id) as answer:
                answer.value = await client.signal(workflow_id, wait, f"{workflow_id}:{wait}", ANSWER)
            return
        except SignalRejectedError:
            return
        except Exception:  # away, or not there yet: whatever it is, it is in the history
            await asyncio.sleep(_AGAIN_S)


@contextmanager
def delivering(client: EngineClient, history: History, wanted: Collection[tuple[str, str]]) -> Iterator[None]:
    """Send signals ``(workflow id, wait)`` for the length of the context."""
    tasks = [asyncio.create_task(deliver(client, history, *one)) for one in wanted]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                if task.done() and (error := task.exception()) is not None:
                    raise error
