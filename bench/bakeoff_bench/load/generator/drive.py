"""Starts sagas when they are due, and sees when each is over: in the ledger, and by the engine's word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bakeoff.engine import Capability, EngineClient, EngineInfo, Signals, Support
from bakeoff.history import History
from bakeoff.patience import ANSWER_WITHIN_S, in_time
from bakeoff.saga import Saga
from bakeoff_bench.load.generator.guard import Effort, Guard, p99
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.run.tail import LedgerTail
from bakeoff_scenarios import Arrival

#: Seconds between the order to begin and the first moment.
_LEAD_S = 0.2
#: Seconds that the engine gets to tell the outcome of a saga that is settled in the ledger.
_WORD_WITHIN_S = 10.0


@dataclass(slots=True, kw_only=True)
class Generator:
    """One load through one client.

    Attributes:
        order: What to do.
        arrivals: This generator's share of it.
        on_over: Is told of every saga that is over, or given up.
        on_begin: Is told the beginning, in monotonic seconds.
    """

    order: LoadOrder
    arrivals: Sequence[Arrival]
    client: EngineClient
    info: EngineInfo
    saga: Saga
    tail: LedgerTail
    history: History
    on_over: Callable[[Sample], None]
    on_begin: Callable[[float], None]
    began_s: float = 0.0
    sent: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _late_s: list[float] = field(default_factory=list)
    _sheds: int = 0

    async def run(self) -> Effort:
        """Until every saga is over, or patience ends."""
        guard = Guard()
        beside = [asyncio.create_task(guard.watch()), asyncio.create_task(self.tail.follow(lambda: None))]
        self.began_s = time.monotonic() + _LEAD_S
        self.on_begin(self.began_s)
        try:
            await (self._closed_loop() if self.order.users else self._open_loop())
            arriving_s, cpu_s, lag_p99_s = self._now_s(), guard.cpu_s(), guard.lag_p99_s()
            await self._wait_for_the_rest(beside[1])
        finally:
            for task in (*self._open, *beside):
                task.cancel()
            await asyncio.gather(*self._open, *beside, return_exceptions=True)
        return Effort(
            seconds=self._now_s(),
            arriving_s=arriving_s,
            cpu_s=cpu_s,
            lag_p99_s=lag_p99_s,
            late_p99_s=p99(self._late_s),
            late_max_s=max(self._late_s, default=0.0),
            sheds=self._sheds,
            in_process=self.info.in_process,
        )

    def _now_s(self) -> float:
        return time.monotonic() - self.began_s

    async def _open_loop(self) -> None:
        """Whatever became of those before it, each is sent at its moment."""
        for arrival in self.arrivals:
            if (pause_s := arrival.at_s - self._now_s()) > 0:
                await asyncio.sleep(pause_s)
            if len(self._open) >= self.order.most_in_flight:
                self._sheds += 1
                self.on_over(_sample(arrival, arrival.at_s, shed=True))
                continue
            self._begin(arrival, arrival.at_s)

    async def _closed_loop(self) -> None:
        """So many at a time, for so long; each user begins when the last saga of his is over."""
        waiting = iter(self.arrivals)
        await asyncio.sleep(_LEAD_S)
        await asyncio.gather(*(self._user(waiting) for _ in range(self.order.users)))

    async def _user(self, waiting: Iterator[Arrival]) -> None:
        while (now_s := self._now_s()) < self.order.seconds:
            arrival = next(waiting, None)
            if arrival is None:
                return
            await asyncio.wait([self._begin(arrival, now_s)], timeout=self.order.patience_s)

    def _begin(self, arrival: Arrival, intended_s: float) -> asyncio.Task[None]:
        task = asyncio.create_task(self._one(arrival, _sample(arrival, intended_s)))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        self.sent += 1
        return task

    async def _wait_for_the_rest(self, follower: asyncio.Task[None]) -> None:
        deadline_s = self._now_s() + self.order.patience_s
        while self._open and (left_s := deadline_s - self._now_s()) > 0:
            await asyncio.wait({*self._open, follower}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if follower.done():
                follower.result()  # without a ledger there is nothing to wait for

    async def _one(self, arrival: Arrival, sample: Sample) -> None:
        planned = arrival.planned
        self.tail.watch(planned)
        try:
            sample.sent_s = self._now_s()
            self._late_s.append(sample.sent_s - sample.intended_s)
            with self.history.operation("start", planned.workflow_id) as answer:
                async with in_time("start()"):
                    answer.value = await self.client.start(self.saga, planned.workflow_id, planned.input)
            sample.accepted_s = self._now_s()
            await self._approve(arrival, sample)
            # The one must not end the other: a saga is settled by the ledger, whatever its client says.
            words = await asyncio.gather(self._told(sample), self._settled(sample), return_exceptions=True)
            for error in words:
                if isinstance(error, BaseException):
                    raise error
        except Exception as error:  # an adapter may let anything of its SDK through; the checkers see it
            sample.error = f"{type(error).__name__}: {error}"
        finally:
            self.tail.forget(planned.workflow_id)
            self.on_over(sample)

    async def _approve(self, arrival: Arrival, sample: Sample) -> None:
        parked_s = self.order.scenario.parked_s
        if not arrival.signals or not isinstance(self.client, Signals):
            return
        sample.due_s += parked_s
        if (pause_s := sample.due_s - self._now_s()) > 0:
            await asyncio.sleep(pause_s)
        workflow_id = arrival.planned.workflow_id
        for name, payload in arrival.signals.items():
            with self.history.operation("signal", workflow_id) as answer:
                async with in_time("signal()"):
                    answer.value = await self.client.signal(
                        workflow_id, name, f"{workflow_id}:{name}", payload
                    )

    async def _settled(self, sample: Sample) -> None:
        within_s = self.order.seconds + self.order.patience_s
        with self.history.operation("settled", sample.workflow_id) as answer:
            end = await self.tail.settled(sample.workflow_id, within_s)
            if end is not None:
                sample.settled_s = self.tail.settled_at_s(sample.workflow_id) - self.began_s
                answer.value = str(end.status)

    async def _told(self, sample: Sample) -> None:
        if self.info.claims[Capability.OUTCOME].support is Support.ABSENT:
            return
        within_s = self.order.seconds + self.order.patience_s + _WORD_WITHIN_S
        with self.history.operation("result", sample.workflow_id) as answer:
            async with in_time("result()", within_s + ANSWER_WITHIN_S):
                outcome = await self.client.result(sample.workflow_id, within_s)
            sample.told_s = self._now_s()
            answer.value = outcome.to_json()


def _sample(arrival: Arrival, intended_s: float, *, shed: bool = False) -> Sample:
    return Sample(
        workflow_id=arrival.planned.workflow_id,
        kind=arrival.kind,
        status=str(arrival.planned.expected.status),
        intended_s=intended_s,
        due_s=intended_s,
        shed=shed,
    )
