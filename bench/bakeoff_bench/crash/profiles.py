"""How much a crash run does: minutes or hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.points import ALL_WINDOWS


class Profile(StrEnum):
    """``--profile``."""

    CI = "ci"
    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One block of a profile's matrix.

    Attributes:
        config: Configuration class.
        short_leases: Whether leases have their ``ci`` values.
        faults: Names; empty for all that are installed, but those of other parts.
        points: Names; empty for all of the saga.
        kills: Per contestant, fault and point.
        deadline_s: Seconds after a fault.
    """

    config: ConfigClass
    faults: Sequence[str]
    points: Sequence[str]
    kills: int
    deadline_s: float
    short_leases: bool = False


_KILL = ("worker-kill",)
#: One point on the way forward and one on the way back: the orphaned charge, and the refund that is owed.
TWO_POINTS = ("charge_payment.after_effect", "refund_payment.before_effect")

PROFILES: dict[Profile, tuple[Part, ...]] = {
    Profile.CI: (
        Part(
            config=ConfigClass.RECOMMENDED,
            short_leases=True,
            faults=_KILL,
            points=TWO_POINTS,
            kills=1,
            deadline_s=60,
        ),
    ),
    Profile.QUICK: (
        Part(
            config=ConfigClass.RECOMMENDED, short_leases=True, faults=_KILL, points=(), kills=1, deadline_s=60
        ),
        Part(config=ConfigClass.DEFAULT, faults=_KILL, points=TWO_POINTS, kills=1, deadline_s=30),
    ),
    Profile.FULL: (
        Part(config=ConfigClass.RECOMMENDED, faults=_KILL, points=(), kills=5, deadline_s=150),
        Part(config=ConfigClass.RECOMMENDED, faults=_KILL, points=(ALL_WINDOWS,), kills=2, deadline_s=150),
        Part(config=ConfigClass.RECOMMENDED, faults=(), points=TWO_POINTS, kills=2, deadline_s=240),
        Part(config=ConfigClass.DEFAULT, faults=_KILL, points=(), kills=1, deadline_s=30),
    ),
}

#: Stacks of each contestant with a long lease; as many kills wait for it at the same time.
COPIES = {Profile.CI: 1, Profile.QUICK: 1, Profile.FULL: 6}

WORDS = {
    Profile.CI: "two points, short leases",
    Profile.QUICK: "every point once with short leases, two points as shipped; minutes",
    Profile.FULL: "every point five times, engines' own windows and every other fault at two points twice, "
    "as shipped beside it; hours",
}
