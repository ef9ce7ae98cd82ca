"""Leases of the saga log: how long a message or an attempt is believed in."""

from __future__ import annotations

from dataclasses import dataclass

from bakeoff.settings import SettingsInForce
from bakeoff_celery.sagalog.record import Entry, State

#: A message that is not due within so many sweeps is left to the sweeper, so that no worker holds it long.
_SWEEPS_AHEAD = 5
#: The pause between two publications of the same message doubles, but not beyond this factor.
_MOST_PATIENCE = 64


@dataclass(frozen=True, slots=True)
class Timing:
    """In seconds.

    Attributes:
        sweep_period: Between two looks.
        message_lease: Until a message that nobody took is published again.
        step_lease: Until an attempt whose process has fallen silent counts as lost.
        hard_limit_margin: Between a step's timeout and the kill of its process.
    """

    sweep_period: float
    message_lease: float
    step_lease: float
    hard_limit_margin: float

    @classmethod
    def of(cls, settings: SettingsInForce) -> Timing:
        """As it is set."""
        return cls(*(float(settings[name]) for name in cls.__slots__))

    @property
    def ahead(self) -> float:
        """How long before it is due a message may be published."""
        return _SWEEPS_AHEAD * self.sweep_period

    def publish_now(self, entry: Entry, now: float) -> bool:
        """Whether the message of an entry is to be published with the change that brought it."""
        return entry.state is State.READY and entry.due is not None and entry.due <= now + self.ahead

    def look_at(self, entry: Entry, now: float) -> float | None:
        """When the sweeper must look at an entry that has just been written; ``None``: never."""
        if entry.state is State.RUNNING:
            return entry.lease
        if not entry.open or entry.due is None:
            return None
        if not self.publish_now(entry, now):
            return entry.due - self.ahead
        return max(entry.due, now) + self.message_lease

    def look_again_at(self, due: float | None, rings: int, now: float) -> float:
        """When to look next at a call that is published for the ``rings``-th time."""
        patience_s: float = self.message_lease * min(2**rings, _MOST_PATIENCE)
        return max(due or now, now) + patience_s
