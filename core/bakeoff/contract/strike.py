"""Sagas that stand at named points, and one fault that strikes all of them at once.

Most of a recovery is waiting for a lease, so one fault serves many points. The sagas do not disturb each
other: every one of them has a slot of its own and *stands* when the fault comes (``standing`` waits for the
last one), none is on its way or waits its turn, and each is judged by its own records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bakeoff.contract.lab import INPUT, Fates, Lab, Settled, Started
from bakeoff.contract.statuses import NotSupported, Unknown
from bakeoff.errors import BakeoffError, SignalRejectedError, WorkflowConflictError
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError, Target
from bakeoff.outcome import Outcome
from bakeoff.saga import JSON, Saga
from bakeoff.world import Aim, Reached, arm, reached, release

_ANSWER_S = 20.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Word:
    """A saga after a fault, and the engine's last word: an outcome, or what asking for it raised."""

    started: Started
    said: Outcome | Exception

    def settled(self) -> Settled:
        """The end, with the ledger as it is now: later deliveries are in it.

        Raises:
            Exception: What asking for the outcome raised.
        """
        if isinstance(self.said, Exception):
            raise self.said
        return Settled(self.started, self.said, self.started.trace())


def start_at(lab: Lab, saga: Saga, aim: Aim, fates: Fates | None = None, *, input: JSON = INPUT) -> Started:
    """Start a saga whose process will stop at ``aim``, the first time it comes there."""
    started = lab.prepare(saga, input, fates=fates)
    arm(lab.stack.world.engine, started.workflow_id, aim)
    assert started.start(), f"{started.workflow_id} is new, but the engine says that it exists"
    return started


def standing(lab: Lab, sagas: Sequence[Started]) -> Mapping[str, Reached]:
    """Wait until every saga stands at its point: ``{workflow id: where}``."""
    wanted = {one.workflow_id for one in sagas}

    found: dict[str, Reached] = {}

    def all_there() -> bool:
        found.update({one.workflow_id: one for one in reached(lab.stack.world.engine)})
        return wanted <= set(found)

    try:
        lab.until("every saga stands at its point", all_there)
    except AssertionError as error:
        raise AssertionError(f"{error}; not there: {', '.join(sorted(wanted - set(found)))}") from None
    return {key: found[key] for key in wanted}


@contextmanager
def held(
    lab: Lab, saga: Saga, aim: Aim, fates: Fates | None = None, *, input: JSON = INPUT
) -> Iterator[Started]:
    """Start a saga whose process stands at ``aim`` while the block runs, and goes on after it.

    What the block asks for comes while the call is under way, however slow the machine is: there is the whole
    timeout of an attempt for it.
    """
    started = start_at(lab, saga, aim, fates, input=input)
    there = standing(lab, [started])
    try:
        yield started
    finally:
        free(lab, there)


def strike(
    lab: Lab,
    fault: Fault,
    there: Mapping[str, Reached],
    *,
    everyone: bool = True,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
    lasts: Callable[[], bool] | None = None,
) -> None:
    """Do the fault to every process that stands there, let those that live go on, and heal.

    Args:
        lab: The engine.
        fault: What is done.
        there: As ``standing`` returned it.
        everyone: ``False`` for a fault that does not aim at the processes that stand there: it is done once.
        beside: Begun just before the fault, and waited for after it: what takes longer than a call that
            stands there may be kept waiting, such as the start of another worker.
        lasts: Asked again and again before it is healed; it is healed when the answer is false, or when
            patience ends.

    Raises:
        Unknown: If the fault did not land.
        NotSupported: If this engine has nothing that it could be done to.
    """

    async def act() -> None:
        coming = asyncio.create_task(beside()) if beside is not None else None
        await asyncio.sleep(0)
        try:
            await strike_and_heal(coming)
        finally:
            if coming is not None:
                coming.cancel()

    async def strike_and_heal(coming: asyncio.Task[None] | None) -> None:
        struck: list[Target] = []
        ended: set[int] = set()
        for target in [Target(lab.stack, at) for at in there.values()]:
            if target.at.pid not in ended and (everyone or not struck):
                struck.append(target)
                ended.update((await fault.inject(target)).ended)
        free(lab, there)
        try:
            if coming is not None:
                await coming
            deadline = time.monotonic() + lab.patience_s
            while lasts is not None and time.monotonic() < deadline and await asyncio.to_thread(lasts):
                await asyncio.sleep(_POLL_S)
        finally:
            await fault.heal(struck[0])

    try:
        lab.thread.call(act, 4 * lab.patience_s + _ANSWER_S)
    except FaultMissedError as error:
        raise Unknown(f"{fault.name} did not land: {error}") from error
    except FaultNotSupportedError as error:
        raise NotSupported(f"{fault.name}: {error}") from error
    finally:
        free(lab, there)


def repeated(lab: Lab, what: str, request: Callable[[], bool]) -> None:
    """As somebody does who gets no answer: once more, with the same id, which counts once."""

    def answered() -> bool:
        try:
            request()
        except (SignalRejectedError, WorkflowConflictError):
            raise
        except (BakeoffError, TimeoutError):
            return False
        return True

    lab.until(f"{what} is answered", answered, 2 * lab.patience_s)


def free(lab: Lab, there: Mapping[str, Reached]) -> None:
    """Let every process that stands there go on."""
    for at in there.values():
        release(lab.stack.world.engine, at.id)


def words(lab: Lab, sagas: Sequence[Started]) -> list[Word]:
    """Wait for all outcomes at once, twice as long as anything else may take: a lease has to end."""
    patience_s = 2 * lab.patience_s

    async def ask() -> list[Outcome | BaseException]:
        asked = (lab.stack.client.result(one.workflow_id, patience_s) for one in sagas)
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = lab.thread.call(ask, patience_s + _ANSWER_S)
    return [
        Word(
            one,
            said if isinstance(said, Outcome | Exception) else BakeoffError(f"result() answered {said!r}"),
        )
        for one, said in zip(sagas, answers, strict=True)
    ]
