"""What follows a fault: detection, first progress, full recovery, or the certainty that nothing will come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bakeoff.checkers import Planned, settled_by_plan
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.stack import Stack
from bakeoff.world import Aim, Record, World
from bakeoff_bench.crash.points import Moment

_POLL_S = 0.01
#: Who has waited for a minute needs no hundredth of a second: share of the time passed between two looks.
_POLL_SHARE = 0.002
#: PostgreSQL may show a record after one with a later number; so many are read again each time.
_OVERLAP = 100
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
        detection_s: Seconds from the fault to the next attempt of the call that was struck; of any call
            where the saga waited or was being started.
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
    _settled_ids: set[str] = field(default_factory=set)
    _records: dict[int, Record] = field(default_factory=dict)
    _last: int = 0

    async def until_over(self, deadline_s: float) -> None:
        """Until all are settled, the engine no longer knows those that are not, or ``deadline_s``."""
        ends = [asyncio.create_task(self._settled()), asyncio.create_task(self._unknown())]
        left_s = self.struck_s + deadline_s - time.monotonic()
        done, _ = await asyncio.wait(ends, timeout=max(0.0, left_s), return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        for task in done:
            task.result()

    async def until_struck_again(self, within_s: float) -> bool:
        """Go on looking for the call that was struck, at most until ``within_s`` after the fault.

        Its message was not acknowledged, and comes again, perhaps long after its saga is over. True if it
        came while this waited.
        """
        waited = False
        while self.detection_s is None and time.monotonic() < self.struck_s + within_s:
            waited = True
            await self._read()
        return waited and self.detection_s is not None

    async def _settled(self) -> None:
        while self.recovery_s is None:
            await self._read()

    async def _read(self) -> None:
        after = max(0, self._last - _OVERLAP)
        new = await asyncio.to_thread(self.stack.world.ledger, after=after)
        now_s = time.monotonic() - self.struck_s
        self._look(new, now_s)
        await asyncio.sleep(max(_POLL_S, _POLL_SHARE * now_s))

    def _look(self, new: Sequence[Record], now_s: float) -> None:
        records: dict[str, list[Record]] = {one.workflow_id: [] for one in self.planned}
        self._records |= {record.seq: record for record in new if record.workflow_id in records}
        self._last = max([self._last, *(record.seq for record in new)])
        for _, record in sorted(self._records.items()):
            records[record.workflow_id].append(record)
        news = [record for record in records[self.planned[0].workflow_id] if record.seq > self.after]
        if self.detection_s is None and any(r.kind == "attempt" and self._is_struck(r) for r in news):
            self.detection_s = now_s
        if self.first_progress_s is None and any(r.kind != "attempt" for r in news):
            self.first_progress_s = now_s
        self._settled_ids |= {
            one.workflow_id for one in self.planned if _settled(one, records[one.workflow_id])
        }
        if self.recovery_s is None and len(self._settled_ids) == len(self.planned):
            self.recovery_s = now_s

    def _is_struck(self, record: Record) -> bool:
        if self.aim.point in (Moment.WHILE_WAITING, Moment.DURING_START):
            return True
        return record.call == (self.aim.step, self.aim.direction)

    async def _unknown(self) -> None:
        """Return when the engine has denied, time and again, that there are the sagas that are left."""
        denials = dict.fromkeys((one.workflow_id for one in self.planned), 0)
        while not self._settled_ids.union(name for name, n in denials.items() if n >= _DENIALS) >= set(
            denials
        ):
            await asyncio.sleep(_ASK_EVERY_S)
            left = [name for name in denials if name not in self._settled_ids]
            for name, denied in zip(left, await asyncio.gather(*map(self._denied, left)), strict=True):
                denials[name] = denials[name] + 1 if denied else 0

    async def _denied(self, workflow_id: str) -> bool:
        try:
            await self.stack.client.result(workflow_id, 0.1)
        except WorkflowNotFoundError:
            return True
        except Exception:  # not settled yet, or away for the moment
            return False
        return False


def _settled(planned: Planned, records: Sequence[Record]) -> bool:
    return any(settled_by_plan(end, records) for end in (planned.expected, *planned.alternatives))


async def until_quiet(world: World, quiet_s: float = 0.5, at_most_s: float = 5.0) -> None:
    """Wait until nothing has been written into the ledger for a while."""
    began_s = changed_s = time.monotonic()
    seen = -1
    while time.monotonic() < min(changed_s + quiet_s, began_s + at_most_s):
        new = await asyncio.to_thread(world.ledger, after=max(0, seen))
        last = max((record.seq for record in new), default=max(0, seen))
        if last != seen:
            seen, changed_s = last, time.monotonic()
        await asyncio.sleep(_POLL_S)
