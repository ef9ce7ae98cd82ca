"""Choreography on paper: its participants with a log, services and deliveries made of lists.

The broker may deliver again what was acknowledged, and a worker may die after its step: ``choose`` says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bakeoff.errors import BusinessError, InjectedFault, UnserialisableError
from bakeoff.outcome import Outcome
from bakeoff.saga import JSON, Direction, Saga
from bakeoff.world import Fate
from bakeoff.world.fate import behaviour
from bakeoff_choreography.events import Act, Event, Story, Subjects
from bakeoff_choreography.log import Entry
from bakeoff_choreography.participants import Participants

Choose = Callable[[Sequence[Any]], Any]
Call = tuple[str, Direction]


class DiedError(BaseException):
    """A worker has died in the middle of its duty."""


@dataclass
class Message:
    """A delivery, and what was answered to it."""

    subject: str
    data: bytes
    metadata: Any
    answer: str = ""

    async def ack(self) -> None:
        self.answer = "ack"

    async def nak(self, delay: float | None = None) -> None:
        self.answer = "nak"

    async def term(self) -> None:
        self.answer = "term"

    async def in_progress(self) -> None:
        pass


@dataclass
class Paper:
    """One saga and everything around it.

    Attributes:
        choose: Picks among options; where trouble is possible the first option is none.
        trouble: Of ``"doubled"``, ``"died"``: what may happen.
        input: Of the saga; conditions see it.
        stored: The log: ``(subject, story)``.
        effects: ``(step, direction, "effect" or "nothing")`` in order, as the services write them.
        attempts: Of every call.
    """

    saga: Saga
    fates: dict[str, Fate]
    choose: Choose
    trouble: Sequence[str] = ()
    stored: list[tuple[str, bytes]] = field(default_factory=list)
    effects: list[tuple[str, Direction, str]] = field(default_factory=list)
    attempts: dict[Call, int] = field(default_factory=dict)
    deaths: int = 0
    input: JSON = None
    # What ``Log`` has.
    subjects: Subjects = field(default_factory=lambda: Subjects(""))
    before: float = 0
    doubt: float = 0

    def __post_init__(self) -> None:
        self._waiting: list[tuple[int, int]] = []
        self._timers: list[Event] = []
        self._began = time.time()
        services = SimpleNamespace(faults=False)
        world: Any = SimpleNamespace(
            sagas={self.saga.name: self.saga}, services=services, perform=self.perform
        )
        log: Any = self
        self._participants = Participants(log, world, 1, 1000)

    async def run(self, events: int = 3000) -> Outcome:
        """Until nobody has anything to do, which must be the end of the saga."""
        if not self.stored:
            await self.append(Event("", Act.START, "", self._beginning()))
        for _ in range(events):
            if self._waiting:
                await self._deliver(*self._waiting.pop(self.choose(range(len(self._waiting)))))
            elif self._timers:
                self._store(self._timers.pop(0))
            else:
                break
        self._participants.close()
        ends = [event for event in self.events() if event.over]
        assert len(ends) == 1, [str(event) for event in self.events()]
        assert ends[0].over is not None
        return ends[0].story.outcome(ends[0].over)

    def _beginning(self) -> Story:
        return Story(saga=self.saga.name, workflow_id="w", input=self.input)

    def events(self) -> list[Event]:
        """All that was said."""
        return [self.subjects.event(subject, data) for subject, data in self.stored]

    async def _deliver(self, number: int, times: int) -> None:
        subject, data = self.stored[number]
        about = SimpleNamespace(
            num_delivered=times,
            sequence=SimpleNamespace(stream=number + 1),
            timestamp=datetime.fromtimestamp(time.time(), UTC),
        )
        message: Any = Message(subject, data, about)
        try:
            await self._participants.hear(message)
        except DiedError:
            self.deaths += 1
            message.answer = "nak"
        again = "doubled" in self.trouble and self.choose(["once", "once", "doubled"]) == "doubled"
        if message.answer == "nak" or again:
            self._waiting.append((number, times + 1))

    # -- what ``Log`` does -------------------------------------------------------------------------

    async def append(self, event: Event) -> bool:
        family = self.subjects.family("w", event.element, event.act)
        if event.act is not Act.START and await self.last(family) is not None:
            return False
        self._store(event)
        return True

    def _store(self, event: Event) -> None:
        self.stored.append((self.subjects.of(event), event.story.written()))
        if not event.over:
            self._waiting.append((len(self.stored) - 1, 1))

    async def schedule(self, event: Event, at: float) -> bool:
        self._timers.append(event)
        return True

    async def last(self, subject: str) -> Entry | None:
        wanted = re.compile(re.escape(subject).replace(r"\*", "[^.]+").replace(">", ".+"))
        for stored, data in reversed(self.stored):
            if wanted.fullmatch(stored):
                return Entry(self.subjects.event(stored, data), self._began, len(data))
        return None

    # -- what the services do ----------------------------------------------------------------------

    def perform(self, saga: str, step: str, direction: Direction, **about: Any) -> JSON:
        call = (step, direction)
        self.attempts[call] = self.attempts.get(call, 0) + 1
        word = behaviour(self.fates.get(f"{step}:{direction}"), self.attempts[call])
        known = {(name, way) for name, way, _ in self.effects}
        if "died" in self.trouble and self.choose(["lives"] * 9 + ["died"]) == "died":
            word = "died"
        nothing = direction == "compensation" and (step, "action") not in known
        if word == "unserialisable" and (nothing or call in known):
            word = "ok"  # nothing is returned, or a stored result answers before a repeated one is judged
        undone = direction == "action" and (step, "compensation") in known
        if word in ("decline", "unserialisable") or undone:
            if direction == "compensation" or self.saga.after_pivot(step):
                raise InjectedFault("declined")
            raise (UnserialisableError if word == "unserialisable" else BusinessError)("no")
        if word == "fault":
            raise InjectedFault("broken")
        if call not in known:
            self.effects.append((step, direction, "nothing" if nothing else "effect"))
        if word == "unknown":
            raise InjectedFault("nobody knows")
        if word == "died":
            raise DiedError
        return step
