"""One kill: sagas in flight, a process caught at a point, the fault, and what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bakeoff.checkers import Evidence, Planned, Shape, read_books
from bakeoff.engine import Capability, Support
from bakeoff.expectation import expect
from bakeoff.history import History, read_history
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError, Landing, Target
from bakeoff.orders.model import Order
from bakeoff.saga import Saga
from bakeoff.stack import Stack
from bakeoff.world import Aim, Fate, Point, Reached, arm, reached, release
from bakeoff_bench.crash.control import missed
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome, outcome_of
from bakeoff_bench.crash.watch import Watch

#: Sagas that stand at their first step while the one under test is struck.
BESIDE = 2
_REACHED_WITHIN_S = 30.0
_POLL_S = 0.01
#: Seconds that the engine gets to tell an outcome once the ledger has been watched long enough.
_WORD_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The record of one kill.

    Attributes:
        outcome, detail: Of the saga that was struck.
        workflow_ids: That saga, then those beside it.
        in_flight: Sagas that stood at a point when the fault landed.
        ended: Processes that were seen to end of it.
        detection_s: From the fault to the next attempt of the call that was struck; ``None`` if none came.
        first_progress_s: To the next effect of the saga that was struck.
        recovery_s: To the end of every saga that was in flight; ``None``: not by the deadline (censored).
    """

    outcome: KillOutcome
    detail: str
    workflow_ids: tuple[str, ...]
    in_flight: int = 0
    ended: tuple[int, ...] = ()
    detection_s: float | None = None
    first_progress_s: float | None = None
    recovery_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def fates_for(saga: Saga, aim: Aim) -> dict[str, Fate]:
    """The domain's faults that lead a saga to the point: for a compensation its last step is declined."""
    if aim.direction == "action":
        return {}
    last = [step for step in saga.steps() if step.recorded][-1]
    return {f"{last.name}:action": {"then": "decline"}}


@dataclass(slots=True, kw_only=True)
class Kills:
    """Makes kills on one running engine, one after the other.

    Attributes:
        stack: The engine; its world was made with ``faults``.
        saga: What is started.
        history, history_file: Of the client.
        deadline_s: Seconds after a fault by which everything must be settled.
    """

    stack: Stack
    saga: Saga
    history: History
    history_file: Path
    deadline_s: float
    _seen: int = 0

    async def kill(self, fault: Fault, aim: Aim, orders: Sequence[Order]) -> Kill:
        """Strike the saga of the first order while the others stand beside it."""
        planned = [self._prepare(order, aim, struck=number == 0) for number, order in enumerate(orders)]
        ids = tuple(one.workflow_id for one in planned)
        for one in planned[1:] + planned[:1]:
            with self.history.operation("start", one.workflow_id) as answer:
                answer.value = await self.stack.client.start(self.saga, one.workflow_id, one.input)
        standing = await self._standing(len(ids))
        before = max((record.seq for record in self.stack.world.ledger()), default=0)
        try:
            landing = await self._strike(fault, ids, standing)
        except FaultMissedError as error:
            return Kill(outcome=KillOutcome.VOID, detail=str(error), workflow_ids=ids)
        except FaultNotSupportedError as error:
            return Kill(outcome=KillOutcome.NOT_SUPPORTED, detail=str(error), workflow_ids=ids)
        finally:
            self._release(standing)
        watch = Watch(stack=self.stack, planned=planned, aim=aim, after=before, struck_s=landing.at_s)
        await watch.until_over(self.deadline_s)
        evidence = await self._evidence(planned[0])
        outcome, detail = outcome_of(evidence)
        if outcome not in HARMFUL and (unseen := missed(evidence)):
            outcome, detail = KillOutcome.VOID, f"the judge does not see {', '.join(unseen)}"
        return Kill(
            outcome=outcome,
            detail=detail,
            workflow_ids=ids,
            in_flight=len(standing),
            ended=landing.ended,
            detection_s=watch.detection_s,
            first_progress_s=watch.first_progress_s,
            recovery_s=watch.recovery_s,
        )

    def _prepare(self, order: Order, aim: Aim, *, struck: bool) -> Planned:
        world, workflow_id = self.stack.world, order.workflow_id
        fates = fates_for(self.saga, aim) if struck else {}
        world.set_fate(workflow_id, fates)
        first = next(step for step in self.saga.steps() if step.recorded)
        arm(world.engine, workflow_id, aim if struck else Aim(first.name, "action", Point.BEFORE_EFFECT))
        return Planned(
            workflow_id=workflow_id,
            input=order.order_id,
            order_id=order.order_id,
            expected=expect(self.saga, fates),
        )

    async def _standing(self, count: int) -> list[Reached]:
        found: list[Reached] = []
        deadline = time.monotonic() + _REACHED_WITHIN_S
        while len(found) < count and time.monotonic() < deadline:
            found += await asyncio.to_thread(reached, self.stack.world.engine, after=self._seen)
            self._seen = max([self._seen, *(one.id for one in found)])
            await asyncio.sleep(_POLL_S)
        return found

    async def _strike(self, fault: Fault, ids: Sequence[str], standing: Sequence[Reached]) -> Landing:
        at = next((one for one in standing if one.workflow_id == ids[0]), None)
        if at is None:
            raise FaultMissedError(f"the point was not reached within {_REACHED_WITHIN_S:.0f} s")
        if len(standing) < len(ids):
            raise FaultMissedError(f"only {len(standing)} of {len(ids)} sagas were in flight")
        target = Target(self.stack, at)
        landing = await fault.inject(target)
        # Those that live go on before a server is back: a step held for longer would run into its timeout.
        self._release(standing)
        await fault.heal(target)
        return landing

    def _release(self, standing: Sequence[Reached]) -> None:
        for process in standing:
            release(self.stack.world.engine, process.id)

    async def _evidence(self, planned: Planned) -> Evidence:
        """Everything about one saga: its records, its operations, the engine's word."""
        world, workflow_id = self.stack.world, planned.workflow_id
        claim = self.stack.info.claims[Capability.OUTCOME]
        silent = claim.reason if claim.support is Support.ABSENT else ""
        if not silent:
            # What the engine answers, an error included, is in the history.
            with contextlib.suppress(Exception), self.history.operation("result", workflow_id) as answer:
                answer.value = (await self.stack.client.result(workflow_id, _WORD_WITHIN_S)).to_json()
        return Evidence(
            engine=self.stack.engine.name,
            shape=Shape.of(self.saga),
            planned={workflow_id: planned},
            ledger=world.ledger(workflow_id=workflow_id),
            operations=[one for one in read_history(self.history_file) if one.workflow_id == workflow_id],
            books=read_books(world.engine, {}),
            silent=silent,
            engine_faults=True,
        )
