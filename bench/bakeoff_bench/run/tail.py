"""Follows a growing ledger and tells when a saga is settled, whatever its engine says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bakeoff.checkers import Planned, settled_by_plan
from bakeoff.expectation import Expectation
from bakeoff.world import Record, World

#: Seconds between two looks; latencies are this coarse.
POLL_S = 0.01

#: Sequence numbers that are looked at again: PostgreSQL may commit a smaller one after a larger one.
_OVERLAP = 1000


@dataclass(slots=True)
class _Watch:
    planned: Planned
    records: list[Record] = field(default_factory=list)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    reached: Expectation | None = None
    reached_at_s: float = 0.0
    tried: dict[str, asyncio.Event] = field(default_factory=dict)


class LedgerTail:
    """Reads new records of one world while ``follow`` runs."""

    def __init__(self, world: World, poll_s: float = POLL_S, after: int = 0) -> None:
        self._world = world
        self._poll_s = poll_s
        self._overlap = 0 if world.engine.url.get_backend_name() == "sqlite" else _OVERLAP
        self._last = after
        self._recent: set[int] = set()
        self._watched: dict[str, _Watch] = {}

    def watch(self, planned: Planned) -> None:
        """Begin to watch a saga; call before it is started."""
        self._watched[planned.workflow_id] = _Watch(planned)

    async def tried(self, workflow_id: str, step: str, within_s: float) -> bool:
        """Wait for the first attempt of a step's action; ``False`` if it does not come."""
        watch = self._watched[workflow_id]
        event = watch.tried.setdefault(step, asyncio.Event())
        if any(r.step == step and r.direction == "action" for r in watch.records):
            return True
        return await _within(event, within_s)

    async def settled(self, workflow_id: str, within_s: float) -> Expectation | None:
        """Wait for the last record of the plan; return the end that was reached, ``None`` if none was."""
        watch = self._watched[workflow_id]
        await _within(watch.settled, within_s)
        return watch.reached

    def settled_at_s(self, workflow_id: str) -> float:
        """When the last record of its plan was seen, in monotonic seconds."""
        return self._watched[workflow_id].reached_at_s

    def forget(self, workflow_id: str) -> None:
        """Stop watching."""
        self._watched.pop(workflow_id, None)

    async def follow(self, check: Callable[[], None]) -> None:
        """Read until cancelled; ``check`` is called at every look and may raise."""
        while True:
            check()
            after = max(0, self._last - self._overlap)
            self._take(await asyncio.to_thread(self._world.ledger, after=after))
            await asyncio.sleep(self._poll_s)

    def _take(self, records: Sequence[Record]) -> None:
        now_s = time.monotonic()
        touched: dict[str, _Watch] = {}
        for record in records:
            if record.seq in self._recent:
                continue
            if self._overlap:
                self._recent.add(record.seq)
            self._last = max(self._last, record.seq)
            watch = self._watched.get(record.workflow_id)
            if watch is None:
                continue
            watch.records.append(record)
            touched[record.workflow_id] = watch
            if record.direction == "action" and record.step in watch.tried:
                watch.tried[record.step].set()
        if len(self._recent) > 4 * _OVERLAP:
            self._recent = {seq for seq in self._recent if seq > self._last - _OVERLAP}
        for watch in touched.values():
            ends = (watch.planned.expected, *watch.planned.alternatives)
            watch.reached = next((end for end in ends if settled_by_plan(end, watch.records)), None)
            if watch.reached is not None and not watch.settled.is_set():
                watch.reached_at_s = now_s
                watch.settled.set()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):  # wait_for of Python 3.11 may swallow a cancellation
            await event.wait()
    except TimeoutError:
        return False
    return True
