"""A saga log on paper: the pure parts of ``celery-sagalog`` with a clock, a broker and workers made of lists.

The broker may lose and double messages and a worker may die in the middle of an attempt: ``choose`` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bakeoff.saga import Direction, Saga
from bakeoff.world import Fate
from bakeoff.world.fate import behaviour
from bakeoff_celery.sagalog import happenings
from bakeoff_celery.sagalog.happenings import settle
from bakeoff_celery.sagalog.record import Key, Record, State

LEASE_S = 20.0
#: A retry's pause is shorter than this; so a look after it finds every open call due.
LOOK_S = 60.0

Choose = Callable[[Sequence[Any]], Any]


@dataclass
class Paper:
    """One saga and everything around it.

    Attributes:
        choose: Picks among options; where trouble is possible the first option is none.
        input: What the saga is started with.
        trouble: Of ``"lost"``, ``"doubled"``, ``"died"``: what may happen.
        effects: ``(step, direction, "effect" or "nothing")`` in order, as the services write them.
        attempts: Of every call.
    """

    saga: Saga
    fates: dict[str, Fate]
    choose: Choose
    trouble: Sequence[str] = ()
    input: Any = None
    now: float = 1000.0
    messages: list[tuple[Key, int]] = field(default_factory=list)
    effects: list[tuple[str, Direction, str]] = field(default_factory=list)
    attempts: dict[Key, int] = field(default_factory=dict)
    deaths: int = 0
    record: Record = field(init=False)

    def __post_init__(self) -> None:
        self.record = Record(id="w", saga=self.saga.name, input=self.input, started_at=self.now)
        self._follow()

    def run(self, moves: int = 2000) -> Record:
        """Until it is settled."""
        for _ in range(moves):
            if self.record.status.settled:
                return self.record
            if self.messages:
                self._deliver(*self.messages.pop(self.choose(range(len(self.messages)))))
            else:
                self._sweep()
        raise AssertionError(f"not settled: {self.record}")

    def _follow(self) -> None:
        settle(self.saga, self.record, self.now)
        for key in sorted(self.record.changed):
            entry = self.record.entries[key]
            if entry.state is State.READY and entry.due is not None:
                self._publish(key, entry.attempt)
        self.record.changed.clear()

    def _publish(self, key: Key, attempt: int) -> None:
        fate = self.choose(["fine", *(word for word in self.trouble if word != "died")])
        self.messages += [(key, attempt)] * {"fine": 1, "lost": 0, "doubled": 2}[fate]

    def _sweep(self) -> None:
        self.now += LOOK_S
        for key, entry in self.record.entries.items():
            if entry.open:
                self.messages.append((key, entry.attempt))

    def _deliver(self, key: Key, attempt: int) -> None:
        entry = self.record.entries[key]
        self.now = max(self.now, entry.due or 0) + 0.01
        if not any(step.name == key[0] for step in self.saga.steps()):
            return self._follow()
        if not happenings.claim(self.saga, self.record, key, attempt, self.now, LEASE_S, False):
            return self._follow()
        word = self._act(key)
        if "died" in self.trouble and self.choose(["lives", "lives", "lives", "died"]) == "died":
            self.deaths += 1
            return None
        if word in ("decline", "unserialisable") and key[1] == "action" and not self.saga.after_pivot(key[0]):
            kind = "BusinessError" if word == "decline" else "UnserialisableError"
            happenings.decline(self.record, key, attempt, (kind, "no"))
        elif word == "ok":
            happenings.succeed(self.record, key, attempt, key[0])
        else:
            happenings.fault(self.saga, self.record, key, attempt, ("InjectedFault", "broken"), self.now)
        return self._follow()

    def _act(self, key: Key) -> str:
        """What the services do in this attempt, and what they answer."""
        step, direction = key
        self.attempts[key] = self.attempts.get(key, 0) + 1
        word = behaviour(self.fates.get(f"{step}:{direction}"), self.attempts[key])
        known = {(name, way): kind for name, way, kind in self.effects}
        if word in ("decline", "fault"):
            return word
        if direction == "compensation" and (step, "action") not in known:
            if key not in known:
                self.effects.append((step, direction, "nothing"))
            return "ok" if word == "unserialisable" else word  # nothing is returned
        if key not in known and word != "unserialisable":
            self.effects.append((step, direction, "effect"))
        # A stored result answers before a repeated one is judged.
        return "ok" if key in known and word == "unserialisable" else word
