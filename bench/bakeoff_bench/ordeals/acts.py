"""What the client of an ordeal does: starts sagas, at once or as they arrive, signals, asks."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bakeoff.checkers import Planned
from bakeoff.engine import Capability, Signals, Support
from bakeoff.errors import NotSupportedError, StartUnknownError
from bakeoff.patience import ANSWER_WITHIN_S, in_time
from bakeoff.saga import JSON, Saga
from bakeoff_bench.ordeals.site import Site
from bakeoff_bench.run.sums import percentile

#: Calls of the client at once where many are made as fast as they can be.
AT_ONCE = 64
#: How often a call whose answer was lost is repeated: starts and signals carry their identity.
_TRIES = 5
_PAUSE_S = 0.5
#: Seconds that the engine gets to tell the outcome of a saga that is settled, or is not.
_WORD_WITHIN_S, _LAST_WORD_S = 20.0, 0.5
#: A start that is sent so much later than intended is the generator's fault, and no latency of the engine.
LATE_S = 0.5
#: A larger share of a phase that is still open at its end means that more came than could be done.
OPEN_SHARE, _FEW = 0.1, 5


async def start(site: Site, saga: Saga, planned: Planned) -> None:
    """Start one saga; an answer that was lost is asked for again. Whatever comes is in the history."""
    for _ in range(_TRIES):
        try:
            with site.history.operation("start", planned.workflow_id) as answer:
                async with in_time("start()"):
                    answer.value = await site.stack.client.start(saga, planned.workflow_id, planned.input)
            return
        except (StartUnknownError, OSError):
            await asyncio.sleep(_PAUSE_S)
        except Exception:  # an adapter may let anything of its SDK through; the checkers see it
            return


async def signal(site: Site, planned: Planned, name: str, payload: JSON) -> None:
    """Bring one signal; the same id is sent again if the engine could not take it."""
    workflow_id = planned.workflow_id
    for _ in range(_TRIES):
        with contextlib.suppress(Exception), site.history.operation("signal", workflow_id) as answer:
            client = site.stack.client
            if not isinstance(client, Signals):
                raise NotSupportedError("the client has no method signal()")
            async with in_time("signal()"):
                answer.value = await client.signal(workflow_id, name, f"{workflow_id}:{name}", payload)
            return
        await asyncio.sleep(_PAUSE_S)


async def ask(site: Site, workflow_ids: Iterable[str]) -> None:
    """Ask the engine for every outcome, unless it declares that it tells none."""
    if site.stack.info.claims[Capability.OUTCOME].support is Support.ABSENT:
        return

    async def one(workflow_id: str) -> None:
        within_s = _WORD_WITHIN_S if workflow_id in site.follower.ended_s else _LAST_WORD_S
        with contextlib.suppress(Exception), site.history.operation("result", workflow_id) as answer:
            async with in_time("result()", within_s + ANSWER_WITHIN_S):
                answer.value = (await site.stack.client.result(workflow_id, within_s)).to_json()

    await each(workflow_ids, one)


async def each(items: Iterable[str], act: Callable[[str], Awaitable[None]]) -> None:
    """Do something for every item, ``AT_ONCE`` at a time: a closed loop."""
    waiting = iter(items)

    async def lane() -> None:
        for item in waiting:
            await act(item)

    async with asyncio.TaskGroup() as lanes:
        for _ in range(AT_ONCE):
            lanes.create_task(lane())


@dataclass(slots=True)
class Arrivals:
    """An open loop: orders come when they come, whatever became of those before them.

    Attributes:
        intended_s: ``{workflow id: monotonic seconds at which it was to be started}``.
        late_s: The worst delay of a start behind its intended time.
        open_at_last: Sagas that had not settled when the last one had come.
    """

    intended_s: dict[str, float] = field(default_factory=dict)
    late_s: float = 0.0
    open_at_last: int = 0

    async def come(
        self,
        site: Site,
        saga: Saga,
        orders: Iterator[Planned],
        pauses_s: Iterator[float],
        enough: Callable[[], bool],
    ) -> None:
        """Start one saga after each pause, until it is enough or there are no more orders."""
        at_s = time.monotonic()
        async with asyncio.TaskGroup() as starts:
            for pause_s in pauses_s:
                at_s += pause_s
                await asyncio.sleep(max(0.0, at_s - time.monotonic()))
                if enough() or (planned := next(orders, None)) is None:
                    self.open_at_last = len(site.follower.unsettled(self.intended_s))
                    return
                self.late_s = max(self.late_s, time.monotonic() - at_s)
                self.intended_s[planned.workflow_id] = at_s
                site.planned[planned.workflow_id] = planned
                site.follower.watch({planned.workflow_id: planned})
                starts.create_task(start(site, saga, planned))

    def latencies_s(self, site: Site) -> list[float]:
        """From the intended start to the end, of the sagas that completed."""
        return [
            site.follower.ended_s[one] - at_s
            for one, at_s in self.intended_s.items()
            if one in site.follower.ended_s and str(site.planned[one].expected.status) == "completed"
        ]

    def notes(self, phase: str) -> Iterator[str]:
        """What belongs beside the latencies of this phase."""
        if self.late_s > LATE_S:
            yield f"{phase}: the generator fell behind by {self.late_s:.1f} s, these latencies are void"
        if self.open_at_last > max(_FEW, OPEN_SHARE * len(self.intended_s)):
            yield (
                f"{phase}: {self.open_at_last} of {len(self.intended_s)} were open when the last had come; "
                "the engine did not keep up: latencies measure the window"
            )


def steady(rate_per_s: float) -> Iterator[float]:
    """The same pause again and again, in seconds."""
    while True:
        yield 1 / rate_per_s


def poisson(rate_per_s: float, seed: int) -> Iterator[float]:
    """Pauses of a Poisson process, in seconds."""
    drawn = random.Random(seed)
    while True:
        yield drawn.expovariate(rate_per_s)


def percentiles(values: Sequence[float], name: str) -> dict[str, float | None]:
    """``{"NAME p50": seconds, "NAME p95": seconds}``."""
    return {f"{name} p50": percentile(values, 0.50), f"{name} p95": percentile(values, 0.95)}
