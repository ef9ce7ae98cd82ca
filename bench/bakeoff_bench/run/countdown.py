"""How much time is left, in the same words wherever something takes long."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Countdown:
    """Time left of something whose length was guessed before it began.

    Attributes:
        expected_s: Seconds in all, as announced.
        began_s: Monotonic seconds.
    """

    expected_s: float
    began_s: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        return time_left(self.expected_s - (time.monotonic() - self.began_s))


def time_left(seconds: float) -> str:
    """``"about 40 s left"``; a guess that has run out is owned up to."""
    return f"about {span(seconds)} left" if seconds >= 0 else "longer than expected"


def span(seconds: float) -> str:
    """``"90 s"``, ``"12 min"``, ``"3.5 h"``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
