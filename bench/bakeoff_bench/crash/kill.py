"""One kill: sagas in flight, a process caught at a point, the fault, and what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakeoff.checkers import Evidence, Planned, Shape, read_books
from bakeoff.engine import Capability, Signals, Support
from bakeoff.history import History, read_history
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError, Landing, Target, WorkerKill
from bakeoff.orders.model import Order
from bakeoff.saga import Direction, Saga
from bakeoff.stack import Stack
from bakeoff.world import Aim, Point, Reached, Record, Window
from bakeoff_bench.crash.control import missed
from bakeoff_bench.crash.moments import check_moment
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome, outcome_of
from bakeoff_bench.crash.points import Moment, name_of, windows_of
from bakeoff_bench.crash.road import Road, choose_end, road_to
from bakeoff_bench.crash.scene import Scene
from bakeoff_bench.crash.signaller import delivering, waits_of
from bakeoff_bench.crash.starter import kill_starter, start_again, start_by, starter
from bakeoff_bench.crash.watch import Watch, until_quiet
from bakeoff_scenarios import lacking

#: Sagas that stand at their first step while the one under test is struck.
BESIDE = 2
#: Seconds that the engine gets to tell an outcome once the ledger has been watched long enough.
_WORD_WITHIN_S = 2.0
#: Seconds without a record after which nothing more is expected to come again.
_QUIET_S = 1.5
#: Seconds beyond the lease within which a repeat comes, if one comes.
_LATE_S = 3.0
#: Seconds within which a fault lands that is done at once.
_AT_ONCE_S = 1.0
#: Seconds within which the end of a worker is seen, and the next one is being started.
_RESTART_S = 1.0
#: Seconds after which what heals a fault no longer computes: a server is up, a pause is only waited for.
_HEALING_S = 8.0
#: When in a start its process is killed: shares of what a start takes, one after the other; the last one
#: comes when the engine has the saga and nobody was told.
_SHARES = (0.25, 0.5, 0.75, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The record of one kill.

    Attributes:
        outcome, detail: Of the saga that was struck.
        workflow_ids: That saga, then those beside it.
        in_flight: Sagas in flight when the fault landed: those that stood at a point, and the one struck.
        ended: Processes that were seen to end of it.
        seen: What else was seen of the fault, in words.
        struck_pid: Process that stood at the point, or acted last for the saga where nobody stands.
        landed_at: Unix seconds of the fault; for people and for logs.
        extra_attempts: ``{call: attempts beyond the plan}`` of the saga that was struck.
        detection_s: From the fault to the next attempt of the call that was struck; ``None`` if none came.
        first_progress_s: To the next effect of the saga that was struck.
        recovery_s: To the end of every saga that was in flight; ``None``: not by the deadline (censored).
        planned: What the saga that was struck had to come to; with ``last_seq`` enough to judge it again.
        last_seq: Of the ledger when it was judged.
    """

    outcome: KillOutcome
    detail: str
    workflow_ids: tuple[str, ...]
    in_flight: int = 0
    ended: tuple[int, ...] = ()
    seen: str = ""
    struck_pid: int | None = None
    landed_at: float | None = None
    extra_attempts: Mapping[str, int] = field(default_factory=dict)
    detection_s: float | None = None
    first_progress_s: float | None = None
    recovery_s: float | None = None
    planned: Planned | None = None
    last_seq: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "extra_attempts": dict(self.extra_attempts),
            "planned": self.planned.to_json() if self.planned else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Struck:
    """What was done to whom; ``first_s`` is when it began, in monotonic seconds."""

    landing: Landing
    first_s: float
    at: Reached
    in_flight: int
    healing: asyncio.Task[None]


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
    _shares: Iterator[float] = field(init=False)

    def __post_init__(self) -> None:
        self._scene = Scene(stack=self.stack, saga=self.saga, history=self.history)
        self._shares = itertools.cycle(_SHARES)

    async def kill(
        self, fault: Fault, aim: Aim, orders: Sequence[Order], at_rest: Callable[[], None] = lambda: None
    ) -> Kill:
        """Strike the saga of the first order while the others stand beside it.

        ``at_rest`` is called as soon as servers and workers are up again: what is still to come then, if
        anything is, waits for a lease or for the end of a pause, and leaves the processors alone.
        """
        ids = tuple(order.workflow_id for order in orders)
        try:
            return await self._kill(fault, aim, orders, at_rest)
        except FaultMissedError as error:
            return Kill(outcome=KillOutcome.VOID, detail=str(error), workflow_ids=ids)
        except FaultNotSupportedError as error:
            return Kill(outcome=KillOutcome.NOT_SUPPORTED, detail=str(error), workflow_ids=ids)
        finally:
            self._scene.release_all()

    async def _kill(
        self, fault: Fault, aim: Aim, orders: Sequence[Order], at_rest: Callable[[], None]
    ) -> Kill:
        road = road_to(self.saga, aim, self._windows(aim))
        self._scene.standing.clear()
        planned = [
            self._scene.prepare(order, None if number else road) for number, order in enumerate(orders)
        ]
        ids = tuple(one.workflow_id for one in planned)
        early = {(ids[0], wait) for wait in road.early}
        late = {(workflow_id, wait) for workflow_id in ids for wait in waits_of(self.saga)} - early
        with delivering(self.stack.client, self.history, early):
            if aim.point == Moment.DURING_START:
                struck = await self._strike_starter(fault, aim, planned)
            else:
                struck = await self._strike(fault, road, planned)
        landing = struck.landing
        zero = time.time() - time.monotonic()
        landed_at = zero + landing.at_s
        records = await asyncio.to_thread(self.stack.world.ledger)
        watch = Watch(
            stack=self.stack,
            planned=planned,
            aim=aim,
            after=max((record.seq for record in records if record.at < landed_at), default=0),
            struck_s=landing.at_s,
        )
        resting = asyncio.create_task(self._rest(struck.healing, at_rest))
        try:
            own = [record for record in records if record.workflow_id == ids[0]]
            check_moment(self.saga, aim, own, zero + struck.first_s)
            with delivering(self.stack.client, self.history, late):
                await watch.until_over(self.deadline_s)
                await struck.healing
            again = watch.recovery_s is not None and await watch.until_struck_again(
                min(self.deadline_s, (self.lease_s or 0.0) + _LATE_S)
            )
        finally:
            await _ended(resting)
            await _ended(struck.healing)
        # What was paused or cut off still has something to say, and so has what came again.
        if again or not landing.ended or aim.point not in {*Point, *Moment}:
            await until_quiet(self.stack.world, _QUIET_S)
        evidence = await self._evidence(planned[0], road)
        outcome, detail = outcome_of(evidence)
        if outcome not in HARMFUL and (unseen := missed(evidence)):
            outcome, detail = KillOutcome.VOID, f"the judge does not see {', '.join(unseen)}"
        return Kill(
            outcome=outcome,
            detail=detail,
            workflow_ids=ids,
            in_flight=struck.in_flight,
            ended=landing.ended,
            seen=landing.seen,
            struck_pid=struck.at.pid,
            landed_at=landed_at,
            extra_attempts=self._extra(evidence),
            detection_s=watch.detection_s,
            first_progress_s=watch.first_progress_s,
            recovery_s=watch.recovery_s,
            planned=evidence.planned[ids[0]],
            last_seq=max((record.seq for record in evidence.ledger), default=0),
        )

    def _windows(self, aim: Aim) -> Sequence[Window]:
        """What this engine declares.

        Raises:
            FaultNotSupportedError: If it lacks what the saga needs, or does not know the point.
        """
        stack = self.stack
        for capability, reason in lacking(self.saga, stack.info).items():
            raise FaultNotSupportedError(f"{capability} is absent: {reason}")
        if waits_of(self.saga) and not isinstance(stack.client, Signals):
            raise FaultNotSupportedError("its client brings no signals")
        windows = windows_of(self.saga, [(stack.engine, stack.deployment.settings)])
        if aim.point not in {*Point, *Moment, *(w.aim.point for w in windows if w.aim == aim)}:
            raise FaultNotSupportedError(f"{stack.engine.name} declares no window {aim.point} there")
        return windows

    async def _strike(self, fault: Fault, road: Road, planned: Sequence[Planned]) -> _Struck:
        scene = self._scene
        at = await scene.lead(road, planned[0], planned[1:])
        in_flight = scene.check_in_flight(others=planned[0].workflow_id not in scene.standing)
        target = Target(self.stack, at)
        began_s = time.monotonic()
        landing = await fault.inject(target)
        # Those that live go on before a server is back: a step held for longer would run into its timeout.
        scene.release_all()
        healing = asyncio.create_task(fault.heal(target))
        # One that takes its time, as two kills do, came with the first of them.
        first_s = landing.at_s if landing.at_s < began_s + _AT_ONCE_S else began_s
        return _Struck(landing=landing, first_s=first_s, at=at, in_flight=in_flight, healing=healing)

    async def _strike_starter(self, fault: Fault, aim: Aim, planned: Sequence[Planned]) -> _Struck:
        if not isinstance(fault, WorkerKill):
            raise FaultNotSupportedError("a starter is a single process that is killed: use worker-kill")
        struck, *beside = planned
        async with starter(self.stack) as (child, client):
            took_s = [await start_by(client, self.history, self.saga, one) for one in beside]
            await self._scene.until_standing({one.workflow_id for one in beside})
            in_flight = self._scene.check_in_flight(others=1)
            after_s = next(self._shares) * min(took_s)
            landing = await kill_starter(child, client, self.history, self.saga, struck, after_s)
            at = Reached(0, struck.workflow_id, aim, child.pid, time.time())
        self._scene.release_all()
        repeated = asyncio.create_task(start_again(self.stack, self.history, self.saga, struck))
        return _Struck(landing=landing, first_s=landing.at_s, at=at, in_flight=in_flight, healing=repeated)

    async def _rest(self, healing: asyncio.Task[None], at_rest: Callable[[], None]) -> None:
        await asyncio.wait([healing], timeout=_HEALING_S)
        await asyncio.sleep(_RESTART_S)
        while self.stack.workers is not None and self.stack.workers.not_ready():
            await asyncio.sleep(_RESTART_S / 4)
        at_rest()

    async def _evidence(self, planned: Planned, road: Road) -> Evidence:
        """Everything about one saga: its records, its operations, the engine's word."""
        world, workflow_id = self.stack.world, planned.workflow_id
        claim = self.stack.info.claims[Capability.OUTCOME]
        silent = claim.reason if claim.support is Support.ABSENT else ""
        if not silent:
            # What the engine answers, an error included, is in the history.
            with contextlib.suppress(Exception), self.history.operation("result", workflow_id) as answer:
                answer.value = (await self.stack.client.result(workflow_id, _WORD_WITHIN_S)).to_json()
        ledger = world.ledger(workflow_id=workflow_id)
        return Evidence(
            engine=self.stack.engine.name,
            shape=Shape.of(self.saga),
            planned={workflow_id: choose_end(self.saga, road, planned, ledger)},
            ledger=ledger,
            operations=[one for one in read_history(self.history_file) if one.workflow_id == workflow_id],
            books=read_books(world.engine, {}),
            silent=silent,
            engine_faults=True,
        )

    def _extra(self, evidence: Evidence) -> dict[str, int]:
        (planned,) = evidence.planned.values()
        return {
            name_of(self.saga, step, direction): count
            for (step, direction), count in extra_attempts(planned, evidence.ledger).items()
        }


def extra_attempts(planned: Planned, records: Sequence[Record]) -> dict[tuple[str, Direction], int]:
    """``{(step, direction): attempts beyond the plan}``, where there are any."""
    made = Counter((r.step, r.direction) for r in records if r.kind == "attempt")
    extra = {call: count - planned.expected.attempts.get(call, 0) for call, count in made.items()}
    return {call: count for call, count in extra.items() if count > 0}


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel what is not over: a fault must leave nothing paused or cut off."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
