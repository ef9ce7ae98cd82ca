"""One kill: sagas in flight, a process caught at a point, the fault, and what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.checkers import Evidence
from bakeoff.engine import Signals
from bakeoff.errors import NotSupportedError
from bakeoff.history import History
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError
from bakeoff.orders.model import Order
from bakeoff.saga import Saga
from bakeoff.stack import Stack
from bakeoff.world import Aim, Point, Record, Window
from bakeoff_bench.crash.evidence import evidence_of
from bakeoff_bench.crash.judging import judged
from bakeoff_bench.crash.moments import check_moment, check_standing
from bakeoff_bench.crash.outcome import KillOutcome, extra_attempts
from bakeoff_bench.crash.points import Moment, name_of, windows_of
from bakeoff_bench.crash.record import Kill
from bakeoff_bench.crash.road import road_to
from bakeoff_bench.crash.scene import Scene
from bakeoff_bench.crash.signaller import delivering
from bakeoff_bench.crash.striking import Striker, Struck
from bakeoff_bench.crash.watch import Watch, until_quiet
from bakeoff_scenarios import lacking
from bakeoff_scenarios.answers import answered_waits

#: Sagas that stand at their first step while the one under test is struck.
BESIDE = 2
#: Seconds within which the workers must be back that an earlier fault ended.
_WHOLE_WITHIN_S = 30.0
#: A call that nobody answers for is given up after its own timeout, or a small multiple of it.
_TIMEOUT_FACTOR = 2.0
#: Seconds without a record after which nothing more is expected to come again.
_QUIET_S = 1.5
#: Seconds beyond the lease within which a repeat comes, if one comes.
_LATE_S = 3.0
#: Seconds within which the end of a worker is seen, and the next one is being started.
_RESTART_S = 1.0
#: Seconds after which what heals a fault no longer computes: a server is up, a pause is only waited for.
_HEALING_S = 8.0


@dataclass(slots=True, kw_only=True)
class Kills:
    """Makes kills on one running engine, one after the other.

    Attributes:
        stack: The engine; its world was made with ``faults``.
        saga: What is started.
        history, history_file: Of the client.
        deadline_s: Seconds after a fault by which everything must be settled.
        lease_s: Seconds after which a killed process's work is taken over, where that is a matter of time:
            so long a repeat may yet come of a saga that is over.
    """

    stack: Stack
    saga: Saga
    history: History
    history_file: Path
    deadline_s: float
    lease_s: float | None = None
    _scene: Scene = field(init=False)
    _striker: Striker = field(init=False)

    def __post_init__(self) -> None:
        self._scene = Scene(stack=self.stack, saga=self.saga, history=self.history)
        self._striker = Striker(scene=self._scene)

    async def kill(
        self,
        fault: Fault,
        aim: Aim,
        orders: Sequence[Order],
        at_rest: Callable[[], None] = lambda: None,
        *,
        when_over: Callable[[], None] = lambda: None,
    ) -> Kill:
        """Strike the saga of the first order while the others stand beside it.

        ``at_rest`` is called as soon as servers and workers are up again: what is still to come then, if
        anything is, waits for a lease or for the end of a pause, and leaves the processors alone.
        ``when_over`` is called when every saga is settled, or nothing more is expected; judging follows.
        """
        ids = tuple(order.workflow_id for order in orders)
        try:
            await self._until_whole()
            return await self._kill(fault, aim, orders, at_rest, when_over)
        except (FaultMissedError, TimeoutError) as error:
            return Kill(outcome=KillOutcome.VOID, detail=str(error), workflow_ids=ids)
        except (FaultNotSupportedError, NotSupportedError) as error:  # of the fault, or of saga and settings
            return Kill(outcome=KillOutcome.NOT_SUPPORTED, detail=str(error), workflow_ids=ids)
        finally:
            self._scene.release_all()

    async def _kill(
        self,
        fault: Fault,
        aim: Aim,
        orders: Sequence[Order],
        at_rest: Callable[[], None],
        when_over: Callable[[], None],
    ) -> Kill:
        road = road_to(self.saga, aim, self._windows(aim))
        self._scene.standing.clear()
        planned = [
            self._scene.prepare(order, None if number else road) for number, order in enumerate(orders)
        ]
        ids = tuple(one.workflow_id for one in planned)
        early = {(ids[0], wait) for wait in road.early}
        late = {(workflow_id, wait) for workflow_id in ids for wait in answered_waits(self.saga)} - early
        with delivering(self.stack.client, self.history, early):
            struck = await self._striker.strike(fault, road, planned)
        landing = struck.landing
        zero = time.time() - time.monotonic()
        landed_at = zero + landing.at_s
        resting = asyncio.create_task(self._rest(struck.healing, at_rest))
        try:
            records = await asyncio.to_thread(self.stack.world.ledger)
            watch = Watch(
                stack=self.stack,
                planned=planned,
                aim=aim,
                after=max((record.seq for record in records if record.at < landed_at), default=0),
                struck_s=landing.at_s,
            )
            own = [record for record in records if record.workflow_id == ids[0]]
            try:
                self._check_place(aim, struck, own, zero + struck.first_s)
            except FaultMissedError:
                await struck.healing  # or the next kill meets a server that is down
                raise
            with delivering(self.stack.client, self.history, late):
                await watch.until_over(self.deadline_s)
                when_over()
                await struck.healing
            repeat_s = self._repeat_s(aim)
            again = watch.recovery_s is not None and await watch.until_struck_again(
                min(self.deadline_s, repeat_s)
            )
        finally:
            await _ended(resting)
            await _ended(struck.healing)
        # What was paused or cut off still has something to say, and so has what came again.
        if again or not landing.ended or aim.point not in {*Point, *Moment}:
            await until_quiet(self.stack.world, _QUIET_S)
        evidences = [
            await evidence_of(
                self.stack,
                self.saga,
                self.history,
                self.history_file,
                one,
                None if number else road,
                settled=watch.recovery_s is not None,
            )
            for number, one in enumerate(planned)
        ]
        outcome, detail = judged(evidences)
        return Kill(
            outcome=outcome,
            detail=detail,
            workflow_ids=ids,
            in_flight=struck.in_flight,
            ended=landing.ended,
            seen=landing.seen,
            struck_pid=struck.at.pid,
            landed_at=landed_at,
            extra_attempts=self._extra(evidences[0]),
            detection_s=watch.detection_s,
            first_progress_s=watch.first_progress_s,
            recovery_s=watch.recovery_s,
            planned=tuple(one for evidence in evidences for one in evidence.planned.values()),
            last_seq=max((record.seq for evidence in evidences for record in evidence.ledger), default=0),
            open=watch.detection_s is None and repeat_s > self.deadline_s,
        )

    def _check_place(self, aim: Aim, struck: Struck, own: Sequence[Record], landed_at: float) -> None:
        """See that the fault came where it was to come.

        Raises:
            FaultMissedError: If the engine had gone on before.
        """
        check_moment(self.saga, aim, own, landed_at)
        if aim.point in tuple(Point):  # behind a window the saga goes on, as it should
            check_standing(struck.at, self._timeout_s(aim), own, landed_at)

    def _timeout_s(self, aim: Aim) -> float:
        return self.saga.timeout_of(self.saga.step(aim.step), aim.direction).total_seconds()

    def _repeat_s(self, aim: Aim) -> float:
        """Seconds after the fault within which the call that was struck comes again, if it does."""
        known = aim.step and any(step.name == aim.step for step in self.saga.steps())
        timeout_s = self._timeout_s(aim) if known else 0.0
        return max(self.lease_s or 0.0, _TIMEOUT_FACTOR * timeout_s) + _LATE_S

    async def _until_whole(self) -> None:
        """Wait for workers and services that an earlier fault ended: before, there is nobody to strike."""
        deadline = time.monotonic() + _WHOLE_WITHIN_S
        while any(
            group.not_ready() or not group.children or not all(child.alive for child in group.children)
            for group in self.stack.groups
        ):
            if time.monotonic() > deadline:
                raise FaultMissedError(f"no worker or service was ready within {_WHOLE_WITHIN_S:.0f} s")
            await asyncio.sleep(_RESTART_S / 4)

    def _windows(self, aim: Aim) -> Sequence[Window]:
        """What this engine declares.

        Raises:
            FaultNotSupportedError: If it lacks what the saga needs, or does not know the point.
        """
        stack = self.stack
        for capability, reason in lacking(self.saga, stack.info).items():
            raise FaultNotSupportedError(f"{capability} is absent: {reason}")
        if answered_waits(self.saga) and not isinstance(stack.client, Signals):
            raise FaultNotSupportedError("its client brings no signals")
        windows = windows_of(self.saga, [(stack.engine, stack.deployment.settings)], stack.deployment.bridge)
        if aim.point not in {*Point, *Moment, *(w.aim.point for w in windows if w.aim == aim)}:
            raise FaultNotSupportedError(f"{stack.engine.name} declares no window {aim.point} there")
        return windows

    async def _rest(self, healing: asyncio.Task[None], at_rest: Callable[[], None]) -> None:
        await asyncio.wait([healing], timeout=_HEALING_S)
        await asyncio.sleep(_RESTART_S)
        while self.stack.workers is not None and self.stack.workers.not_ready():
            await asyncio.sleep(_RESTART_S / 4)
        at_rest()

    def _extra(self, evidence: Evidence) -> dict[str, int]:
        (planned,) = evidence.planned.values()
        return {
            name_of(self.saga, step, direction): count
            for (step, direction), count in extra_attempts(planned, evidence.ledger).items()
        }


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel what is not over: a fault must leave nothing paused or cut off."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
