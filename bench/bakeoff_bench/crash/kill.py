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
from bakeoff.errors import NotSupportedError
from bakeoff.history import History, read_history
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError, Landing, Target, WorkerKill
from bakeoff.orders.model import Order
from bakeoff.patience import ANSWER_WITHIN_S, in_time
from bakeoff.saga import Direction, Saga
from bakeoff.stack import Stack
from bakeoff.world import Aim, Point, Reached, Record, Window
from bakeoff_bench.crash.control import missed
from bakeoff_bench.crash.moments import check_moment, check_standing
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome, outcome_of
from bakeoff_bench.crash.points import Moment, name_of, windows_of
from bakeoff_bench.crash.road import Road, choose_end, road_to
from bakeoff_bench.crash.scene import Scene
from bakeoff_bench.crash.signaller import delivering
from bakeoff_bench.crash.starter import kill_starter, start_again, start_by, starter
from bakeoff_bench.crash.watch import Watch, until_quiet
from bakeoff_scenarios import lacking
from bakeoff_scenarios.answers import answered_waits

#: Sagas that stand at their first step while the one under test is struck.
BESIDE = 2
#: Seconds that the engine gets to tell an outcome once the ledger has been watched long enough: of sagas that
#: are settled there, and of others.
_WORD_WITHIN_S, _LAST_WORD_S = 15.0, 1.0
#: Seconds within which the workers must be back that an earlier fault ended.
_WHOLE_WITHIN_S = 30.0
#: A call that nobody answers for is given up after its own timeout, or a small multiple of it.
_TIMEOUT_FACTOR = 2.0
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
        outcome, detail: Of the saga that was struck; of one beside it, if harm came to that one only.
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
        planned: What the sagas had to come to; with ``last_seq`` enough to judge them again.
        last_seq: Of the ledger when they were judged.
        open: The message that was struck had not come again when it was judged, and by its lease may yet.
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
    planned: tuple[Planned, ...] = ()
    last_seq: int = 0
    open: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "extra_attempts": dict(self.extra_attempts),
            "planned": [one.to_json() for one in self.planned],
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
            if aim.point == Moment.DURING_START:
                struck = await self._strike_starter(fault, aim, planned)
            else:
                struck = await self._strike(fault, road, planned)
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
            await self._evidence(one, None if number else road, settled=watch.recovery_s is not None)
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

    def _check_place(self, aim: Aim, struck: _Struck, own: Sequence[Record], landed_at: float) -> None:
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

    async def _strike(self, fault: Fault, road: Road, planned: Sequence[Planned]) -> _Struck:
        scene = self._scene
        at = await scene.lead(road, planned[0], planned[1:])
        in_flight = scene.check_in_flight(others=planned[0].workflow_id not in scene.standing)
        target = Target(self.stack, at, self.saga)
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

    async def _evidence(self, planned: Planned, road: Road | None, *, settled: bool) -> Evidence:
        """Everything about one saga: its records, its operations, the engine's word.

        An engine may come to the end of a saga later than the ledger shows it: where a message is lost that
        told of the last step, it gets the time to try again.
        """
        within_s = _WORD_WITHIN_S if settled else _LAST_WORD_S
        world, workflow_id = self.stack.world, planned.workflow_id
        claim = self.stack.info.claims[Capability.OUTCOME]
        silent = claim.reason if claim.support is Support.ABSENT else ""
        if not silent:
            # What the engine answers, an error included, is in the history.
            with contextlib.suppress(Exception), self.history.operation("result", workflow_id) as answer:
                async with in_time("result()", within_s + ANSWER_WITHIN_S):
                    answer.value = (await self.stack.client.result(workflow_id, within_s)).to_json()
        ledger = world.ledger(workflow_id=workflow_id)
        end = choose_end(self.saga, road, planned, ledger, bridged=bool(self.stack.services))
        return Evidence(
            engine=self.stack.engine.name,
            shape=Shape.of(self.saga),
            planned={workflow_id: end},
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


def judged(evidences: Sequence[Evidence]) -> tuple[KillOutcome, str]:
    """The outcome of the first saga; if only another one came to harm, what became of that one.

    A judge that does not see damage in the evidence of the first one has nothing to say.
    """
    try:
        return _judged(evidences)
    except Exception as error:  # it must not end hours of kills, and vouches for nothing
        return KillOutcome.VOID, f"the judge crashed: {type(error).__name__}: {error}"


def _judged(evidences: Sequence[Evidence]) -> tuple[KillOutcome, str]:
    outcome, detail = outcome_of(evidences[0])
    if outcome in HARMFUL:
        return outcome, detail
    if unseen := missed(evidences[0]):
        return KillOutcome.VOID, f"the judge does not see {', '.join(unseen)}"
    for beside in evidences[1:]:
        worse, what = outcome_of(beside)
        if worse in HARMFUL:
            return worse, f"{next(iter(beside.planned))}, which was in flight beside it: {what}"
    return outcome, detail


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
