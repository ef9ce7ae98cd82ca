"""What follows a fault: detection, first progress, full recovery, or the certainty that nothing will come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.checkers import Planned, settled_by_plan
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.stack import Stack
from bakeoff.world import Aim, Record

_POLL_S = 0.01
#: An engine that does not know a saga is asked again so often, with such pauses, before it counts as lost.
_DENIALS = 4
_ASK_EVERY_S = 1.0


@dataclass(slots=True, kw_only=True)
class Watch:
    """Follows the ledger after a fault.

    Attributes:
        stack: The engine.
        planned: Sagas in flight, the one that was struck first.
        aim: The call that was struck.
        after: Last sequence number of the ledger before the fault.
        struck_s: Monotonic seconds of the fault.
        detection_s: Seconds from the fault to the next attempt of the call that was struck.
        first_progress_s: To the next effect of the saga that was struck.
        recovery_s: To the end of every saga in flight.
    """

    stack: Stack
    planned: Sequence[Planned]
    aim: Aim
    after: int
    struck_s: float
    detection_s: float | None = None
    first_progress_s: float | None = None
    recovery_s: float | None = None

    async def until_over(self, deadline_s: float) -> None:
        """Until all are settled, the engine no longer knows the one that was struck, or ``deadline_s``."""
        ends = [asyncio.create_task(self._settled()), asyncio.create_task(self._unknown())]
        left_s = self.struck_s + deadline_s - time.monotonic()
        done, _ = await asyncio.wait(ends, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        for task in done:
            task.result()

    async def _settled(self) -> None:
        while self.recovery_s is None:
            self._look(await asyncio.to_thread(self.stack.world.ledger), time.monotonic() - self.struck_s)
            await asyncio.sleep(_POLL_S)

    def _look(self, ledger: Sequence[Record], now_s: float) -> None:
        records: dict[str, list[Record]] = {one.workflow_id: [] for one in self.planned}
        for record in ledger:
            if record.workflow_id in records:
                records[record.workflow_id].append(record)
        news = [record for record in records[self.planned[0].workflow_id] if record.seq > self.after]
        struck = (self.aim.step, self.aim.direction)
        if self.detection_s is None and any(r.kind == "attempt" and r.call == struck for r in news):
            self.detection_s = now_s
        if self.first_progress_s is None and any(r.kind != "attempt" for r in news):
            self.first_progress_s = now_s
        if all(settled_by_plan(one.expected, records[one.workflow_id]) for one in self.planned):
            self.recovery_s = now_s

    async def _unknown(self) -> None:
        """Return when the engine has denied, time and again, that there is such a saga."""
        denials = 0
        while denials < _DENIALS:
            await asyncio.sleep(_ASK_EVERY_S)
            try:
                await self.stack.client.result(self.planned[0].workflow_id, 0.1)
            except WorkflowNotFoundError:
                denials += 1
            except Exception:  # not settled yet, or away for the moment
                denials = 0
