"""Follows the ledger of one ordeal: when each saga was first tried, and when it settled."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bakeoff.checkers import Planned, settled_by_plan
from bakeoff.world import Record, World

_POLL_S = 0.02


@dataclass(slots=True)
class Follower:
    """Reads new records while ``follow`` runs; times are monotonic seconds of this process, 20 ms coarse.

    Attributes:
        tried_s: ``{workflow id: when its first attempt was seen}``.
        ended_s: ``{workflow id: when the last record of its plan was seen}``.
        acted: ``{step: effects of its action}`` over all sagas.
    """

    world: World
    tried_s: dict[str, float] = field(default_factory=dict)
    ended_s: dict[str, float] = field(default_factory=dict)
    acted: Counter[str] = field(default_factory=Counter)
    _planned: dict[str, Planned] = field(default_factory=dict)
    _records: dict[str, list[Record]] = field(default_factory=dict)
    _last: int = 0

    def watch(self, planned: Mapping[str, Planned]) -> None:
        """Before they are started."""
        self._planned.update(planned)

    def records(self, workflow_id: str) -> list[Record]:
        """What the ledger holds about one saga so far."""
        return self._records.get(workflow_id, [])

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            self._take(await asyncio.to_thread(self.world.ledger, after=self._last), time.monotonic())
            await asyncio.sleep(_POLL_S)

    def _take(self, records: Iterable[Record], now_s: float) -> None:
        touched = set()
        for record in records:
            self._last = record.seq
            workflow_id = record.workflow_id
            self._records.setdefault(workflow_id, []).append(record)
            self.tried_s.setdefault(workflow_id, now_s)
            if record.kind == "attempt":
                continue
            if record.kind == "effect" and record.direction == "action":
                self.acted[record.step] += 1
            touched.add(workflow_id)
        for workflow_id in touched - self.ended_s.keys():
            planned = self._planned.get(workflow_id)
            if planned is not None and any(
                settled_by_plan(end, self._records[workflow_id])
                for end in (planned.expected, *planned.alternatives)
            ):
                self.ended_s[workflow_id] = now_s

    def unsettled(self, workflow_ids: Iterable[str]) -> list[str]:
        """Those of them that have not settled yet."""
        return [one for one in workflow_ids if one not in self.ended_s]


async def until(condition: Callable[[], bool], within_s: float) -> bool:
    """Wait for a condition that a follower makes true; ``False`` if it does not come in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True
