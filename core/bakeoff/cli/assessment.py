"""What keeps a saga from getting on: the engine's word put together with the services' ledger."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from bakeoff.cli.clients import Connected, claim_of, why_no_worker
from bakeoff.cli.numbers import finite_seconds
from bakeoff.engine import Capability, Describes, Means, Support
from bakeoff.errors import NotSupportedError, WorkflowError
from bakeoff.outcome import Description, Listed, Status
from bakeoff.registry import load_sagas
from bakeoff.saga import Element, Saga, Sleep, Wait
from bakeoff.world.ledger import Record
from bakeoff.world.progress import Progress, read_progress

#: A default for people: longer than any demonstration step with all its attempts.
PATIENCE_S = 60.0

OlderThanOption = Annotated[
    float,
    typer.Option(
        "--older-than",
        min=0,
        callback=finite_seconds,
        metavar="SECONDS",
        help="A saga is stuck that made no progress for so long.",
    ),
]


class Standing(StrEnum):
    """How things are with a saga that has not come to a good end."""

    FAILED = "compensation_failed"  #: it ended, and a step is not undone
    STUCK = "stuck"  #: it makes no progress
    WAITING = "waiting"  #: it makes none either, and is not meant to: a signal or a timer is to come
    MOVING = "moving"  #: it made progress a moment ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One saga.

    Attributes:
        workflow_id, saga: Which.
        standing: How things are with it.
        why: Why it is considered so, one sentence.
        then: What a person can do; empty where there is nothing to do.
        idle_s: Seconds since its last progress (or its start); ``None`` if nothing tells.
        progress: Its traces in the ledger; ``None`` if no step of it has been tried.
        description: The engine's word; ``None`` if it gives none.
    """

    workflow_id: str
    saga: str | None
    standing: Standing
    why: str
    then: str
    idle_s: float | None
    progress: Progress | None
    description: Description | None


class Assessor:
    """Judges the sagas of one running deployment at one moment."""

    def __init__(self, up: Connected, older_than_s: float) -> None:
        self._up = up
        self._older_than_s = older_than_s
        self._now = time.time()
        self._sagas: Mapping[str, Saga] = load_sagas(up.deployment.sagas)
        self._progress: Mapping[str, Progress] = {}
        #: Why no worker can be running; ``None`` if one may be.
        self.no_worker: str | None = None

    def read(self, listed: list[Listed]) -> None:
        """Read once what the ledger knows of these sagas; ``assess`` needs it."""
        world = self._up.world()
        try:
            self._progress = read_progress(world.engine, {one.workflow_id for one in listed})
            in_process = self._up.engine.info(self._up.deployment.settings).in_process
            self.no_worker = None if in_process else why_no_worker(world)
        finally:
            world.close()

    def idle_s(self, one: Listed) -> float | None:
        """Seconds since its last progress, by the clock of the worker that made it."""
        progress = self._progress.get(one.workflow_id)
        since = progress.step.at if progress else one.started_at
        return None if since is None else max(0.0, self._now - since)

    async def assess(self, one: Listed) -> Assessment | None:
        """Judge one saga; ``None`` if it has come to a good end meanwhile."""
        idle_s = self.idle_s(one)
        if idle_s is not None and idle_s < self._older_than_s and not one.status.settled:
            progress = self._progress.get(one.workflow_id)
            last = told(progress.step, self._now) if progress else f"it was started {ago(idle_s)}"
            return self._is(one, Standing.MOVING, f"it makes progress: {last}", None)
        try:
            word = await self._describe(one.workflow_id)
        except WorkflowError as unknown:
            return self._is(one, Standing.STUCK, f"the engine says: {unknown}", None)
        status = word.status if word else one.status
        if status is Status.COMPENSATION_FAILED:
            return self._is(one, Standing.FAILED, await self._what_gave_up(one.workflow_id), word)
        if status.settled:
            return None
        if why := self._why_it_waits(one, word):
            return self._is(one, Standing.WAITING, why, word)
        return self._is(one, Standing.STUCK, self._why_it_is_stuck(one, word), word)

    def _is(self, one: Listed, standing: Standing, why: str, word: Description | None) -> Assessment:
        return Assessment(
            workflow_id=one.workflow_id,
            saga=(word.saga if word else None) or one.saga,
            standing=standing,
            why=why,
            then=self._what_to_do(one, standing, word),
            idle_s=self.idle_s(one),
            progress=self._progress.get(one.workflow_id),
            description=word,
        )

    def _what_to_do(self, one: Listed, standing: Standing, word: Description | None) -> str:
        info = self._up.engine.info(self._up.deployment.settings)
        claim = claim_of(info, Means.REDRIVE)
        if standing is Standing.STUCK and self.no_worker:
            return f"bakeoff worker --engine {self._up.engine.name}"
        if standing is Standing.STUCK and word and word.next_retry_at:
            return "repair the reason: it is tried again by itself"
        if standing in (Standing.STUCK, Standing.FAILED):
            if claim.support is Support.ABSENT:
                return f"{self._up.engine.name} cannot redrive: {claim.reason}"
            return f"repair the reason, then: bakeoff redrive {one.workflow_id}"
        return ""

    async def _describe(self, workflow_id: str) -> Description | None:
        try:
            client = self._up.able(Capability.DESCRIBE, Describes)  # type: ignore[type-abstract]
        except NotSupportedError:
            return None
        return await client.describe(workflow_id)

    async def _what_gave_up(self, workflow_id: str) -> str:
        outcome = await self._up.client.result(workflow_id, self._older_than_s or PATIENCE_S)
        steps = ", ".join(outcome.failed_compensations) or "a step"
        return f"the compensation gave up, so this is not undone: {steps}"

    def _why_it_waits(self, one: Listed, word: Description | None) -> str | None:
        if word and word.awaiting:
            return f"it waits for the signal {word.awaiting!r}"
        following = self._following(one)
        if word is None and following and isinstance(following[0], Wait):
            return f"it should be waiting for the signal {following[0].name!r}, by its definition"
        nap, idle_s = _sleep(following), self.idle_s(one) or 0.0
        if nap and idle_s < nap.total_seconds():
            return f"it sleeps for {nap.total_seconds() - idle_s:.0f} s more"
        return None

    def _following(self, one: Listed) -> tuple[Element, ...]:
        """The elements after the last one that succeeded; nothing if it is not known or on its way back."""
        saga, progress = self._sagas.get(one.saga or ""), self._progress.get(one.workflow_id)
        if saga is None:
            return ()
        if progress is None:
            return saga.elements
        step = progress.step
        if step.kind != "effect" or step.direction != "action":
            return ()
        try:
            return saga.elements[saga.index_of(step.step) + 1 :]
        except KeyError:
            return ()

    def _why_it_is_stuck(self, one: Listed, word: Description | None) -> str:
        if self.no_worker:
            return self.no_worker
        progress = self._progress.get(one.workflow_id)
        if word and word.next_retry_at:
            return f"attempt {word.attempt} of {word.current_step} is still to come; those before it failed"
        if progress and progress.last.seq > progress.step.seq:
            last = progress.last
            return f"{call_of(last)} is tried again and again, {last.ordinal} times so far"
        if word and word.attempt is not None:
            return f"attempt {word.attempt} of {word.current_step} does not end or does not begin"
        if word and word.last_error:
            return word.last_error
        if word and (hidden := word.unknown.get("current_step")):
            return f"nobody seems to work on it: {hidden}"
        return "nobody seems to work on it"


def _sleep(elements: tuple[Element, ...]) -> timedelta:
    """How long the timers last that come next."""
    total = timedelta(0)
    for element in elements:
        if not isinstance(element, Sleep):
            break
        total += element.duration
    return total


def call_of(record: Record) -> str:
    """``"charge_payment"`` or ``"the compensation of charge_payment"``."""
    return record.step if record.direction == "action" else f"the compensation of {record.step}"


def told(record: Record, now: float) -> str:
    """One record of the ledger in words, with its age."""
    what = f"attempt {record.ordinal}" if record.kind == "attempt" else record.kind
    return f"{what} of {call_of(record)}, {ago(now - record.at)}"


def ago(seconds: float) -> str:
    """An age that people read: ``"12 s ago"``, ``"3 min ago"``, ``"5 h ago"``."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"
