"""The client of a block of sagas: a closed loop with a fixed number in flight."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bakeoff.checkers import Planned
from bakeoff.engine import Cancels, Capability, EngineClient, Signals, Support
from bakeoff.errors import NotSupportedError
from bakeoff.expectation import Expectation
from bakeoff.history import History
from bakeoff.outcome import Outcome, Status
from bakeoff.patience import ANSWER_WITHIN_S, in_time
from bakeoff.saga import Saga
from bakeoff.stack import Stack
from bakeoff_bench.run.duration import PATIENCE_S, patience_s
from bakeoff_bench.run.outside import Outside
from bakeoff_bench.run.tail import LedgerTail
from bakeoff_scenarios import Assignment

#: Seconds that the engine gets to tell the outcome of a saga which is settled in the ledger.
_WORD_WITHIN_S = 10.0

#: Seconds that it gets to tell about a saga which is not.
_LAST_WORD_S = 1.0

#: Seconds beyond the plan after which the engine is asked whether a saga has ended otherwise than planned,
#: the pause between two such questions, and the seconds for records that are still on their way.
_DOUBT_AFTER_S = 3.0
_DOUBT_EVERY_S = 0.5
_LAST_RECORDS_S = 2.0

_CANCEL_AGAIN_S = 0.5


@dataclass(slots=True)
class Tally:
    """What the progress display shows of one engine."""

    planned: int = 0
    started: int = 0
    settled: int = 0
    compensated: int = 0
    state: str = "waiting"
    last_error: str = ""
    finished_blocks_s: float = 0.0
    block_began_s: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of all its blocks up to now."""
        running = time.monotonic() - self.block_began_s if self.block_began_s is not None else 0.0
        return self.finished_blocks_s + running


@dataclass(slots=True, kw_only=True)
class Driver:
    """Starts sagas of one engine, does what their client does, and writes its history.

    Attributes:
        by_word: Whether the engine's word ends the wait for a saga, instead of the ledger: naive services
            leave the plan, and its last record may never come.
    """

    stack: Stack
    saga: Saga
    history: History
    tail: LedgerTail
    tally: Tally
    by_word: bool = False
    on_settled: Callable[[], None] = field(default=lambda: None)
    #: One question at a time: those in doubt must not become a load of their own.
    _questions: asyncio.Lock = field(default_factory=asyncio.Lock)
    _outside: Outside = field(init=False)

    def __post_init__(self) -> None:
        self._outside = Outside(self.stack.deployment, self.saga)

    async def block(self, assignments: Sequence[Assignment], concurrency: int) -> float:
        """Run a block to its end; return its seconds.

        Raises:
            ServerStartError: If the workers cannot be kept alive.
        """
        waiting = iter(assignments)
        began_s = self.history.now_s()
        follower = asyncio.create_task(self.tail.follow(self._check_workers))
        slots = [asyncio.create_task(self._slot(waiting)) for _ in range(min(concurrency, len(assignments)))]
        try:
            # Whichever fails first ends the block: without a ledger there is nothing to wait for.
            pending: set[asyncio.Task[None]] = {follower, *slots}
            while pending - {follower}:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            await _end(follower, *slots)
            await self._outside.close()
        return self.history.now_s() - began_s

    def _check_workers(self) -> None:
        if (failure := self.stack.failure) is not None:
            raise failure

    async def _slot(self, waiting: Iterator[Assignment]) -> None:
        for assignment in waiting:
            await self._one(assignment)

    async def _one(self, assignment: Assignment) -> None:
        planned = assignment.planned
        workflow_id = planned.workflow_id
        client = self.stack.client
        self.tail.watch(planned)
        try:
            self.tally.started += 1
            with self.history.operation("start", workflow_id) as answer:
                async with in_time("start()"):
                    answer.value = await client.start(self.saga, workflow_id, planned.input)
            await self._act(client, assignment)
            settled = await self._wait_settled(assignment)
            await self._ask(client, workflow_id, _WORD_WITHIN_S if settled else _LAST_WORD_S)
        except Exception as error:  # an adapter may let anything of its SDK through
            # The history holds it and the checkers judge it; a saga that fails does not stop the others.
            self.tally.last_error = f"{type(error).__name__}: {error}"
        finally:
            self.tail.forget(workflow_id)

    async def _act(self, client: EngineClient, assignment: Assignment) -> None:
        workflow_id = assignment.planned.workflow_id
        for name, payload in assignment.signals.items():
            if not isinstance(client, Signals):
                raise NotSupportedError("the client has no method signal()")
            if (event := self._outside.event_for(name, workflow_id, payload)) is not None:
                with self.history.operation("emit", workflow_id) as answer:
                    async with in_time("emit()"):
                        await self._outside.emit(event, payload)
                    answer.value = event
                continue
            with self.history.operation("signal", workflow_id) as answer:
                async with in_time("signal()"):
                    answer.value = await client.signal(workflow_id, name, f"{workflow_id}:{name}", payload)
        if assignment.cancel_after is not None:
            within_s = patience_s(self.saga, assignment.planned)
            await self.tail.tried(workflow_id, assignment.cancel_after, within_s)
            if not isinstance(client, Cancels):
                raise NotSupportedError("the client has no method cancel()")
            with self.history.operation("cancel", workflow_id):
                async with in_time("cancel()"):
                    await client.cancel(workflow_id)

    async def _wait_settled(self, assignment: Assignment) -> bool:
        """Wait for the ledger, or for the engine's word where the ledger cannot tell."""
        planned = assignment.planned
        ends = (planned.expected, *planned.alternatives)
        within_s = patience_s(self.saga, planned)
        with self.history.operation("settled", planned.workflow_id) as answer:
            if all(end.ledger_tells for end in ends) and not self.by_word:
                end = await self._planned_end(planned, within_s)
                status = end.status if end is not None else None
            else:
                async with in_time("result()", within_s + ANSWER_WITHIN_S):
                    status = (await self.stack.client.result(planned.workflow_id, within_s)).status
            answer.value = status
        if status is None:
            return False
        self.tally.settled += 1
        self.tally.compensated += status is not Status.COMPLETED
        self.on_settled()
        return True

    async def _planned_end(self, planned: Planned, within_s: float) -> Expectation | None:
        """Wait for an end of the plan in the ledger, or until the engine says that the saga is over."""
        workflow_id = planned.workflow_id
        undoubted_s = min(within_s, within_s - PATIENCE_S + _DOUBT_AFTER_S)
        end = await self.tail.settled(workflow_id, undoubted_s)
        if end is not None or self.stack.info.claims[Capability.OUTCOME].support is Support.ABSENT:
            return end or await self.tail.settled(workflow_id, within_s - undoubted_s)
        settled = asyncio.create_task(self.tail.settled(workflow_id, within_s - undoubted_s))
        over = asyncio.create_task(self._over(workflow_id))
        try:
            await asyncio.wait({settled, over}, return_when=asyncio.FIRST_COMPLETED)
            if not settled.done():
                await asyncio.wait({settled}, timeout=_LAST_RECORDS_S)
            return settled.result() if settled.done() else None
        finally:
            settled.cancel()
            over.cancel()
            await asyncio.gather(settled, over, return_exceptions=True)

    async def _over(self, workflow_id: str) -> None:
        """Return once the engine tells an outcome, whichever."""
        while True:
            with contextlib.suppress(Exception):  # the question is asked again; the last one is recorded
                async with self._questions:
                    await self.stack.client.result(workflow_id, _DOUBT_EVERY_S)
                    return
            await asyncio.sleep(_DOUBT_EVERY_S)

    async def _ask(self, client: EngineClient, workflow_id: str, within_s: float) -> None:
        if self.stack.info.claims[Capability.OUTCOME].support is Support.ABSENT:
            return
        with self.history.operation("result", workflow_id) as answer:
            async with in_time("result()", within_s + ANSWER_WITHIN_S):
                outcome: Outcome = await client.result(workflow_id, within_s)
            answer.value = outcome.to_json()


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel until every task has ended: what an adapter awaits may swallow a cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        left = (await asyncio.wait(left, timeout=_CANCEL_AGAIN_S))[1]
    await asyncio.gather(*tasks, return_exceptions=True)
