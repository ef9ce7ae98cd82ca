"""How much a crash run does: minutes or hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.bridge.windows import service_windows
from bakeoff.saga import Saga
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.points import ALL_WINDOWS, SERVICE_WINDOWS, points_of


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
        bridged: Whether it strikes services, and so is there with a bridge only.
    """

    config: ConfigClass
    faults: Sequence[str]
    points: Sequence[str]
    kills: int
    deadline_s: float
    short_leases: bool = False
    bridged: bool = False


_KILL = ("worker-kill",)
#: One point on the way forward and one on the way back: the orphaned charge, and the refund that is owed.
TWO_POINTS = ("charge_payment.after_effect", "refund_payment.before_effect")
#: A service has taken a command, or has done it; nobody has been told in either case.
_TAKEN, _DONE = "charge_payment.command_taken", "charge_payment.command_done"
#: A service dies in the middle of a command: a smoke test of the bridge.
_ONE_COMMAND = Part(
    config=ConfigClass.RECOMMENDED,
    short_leases=True,
    faults=("service-kill",),
    points=(_DONE,),
    kills=1,
    deadline_s=60,
    bridged=True,
)

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
        _ONE_COMMAND,
    ),
    Profile.QUICK: (
        Part(
            config=ConfigClass.RECOMMENDED, short_leases=True, faults=_KILL, points=(), kills=1, deadline_s=60
        ),
        Part(config=ConfigClass.DEFAULT, faults=_KILL, points=TWO_POINTS, kills=1, deadline_s=30),
        _ONE_COMMAND,
    ),
    Profile.FULL: (
        Part(config=ConfigClass.RECOMMENDED, faults=_KILL, points=(), kills=5, deadline_s=150),
        Part(config=ConfigClass.RECOMMENDED, faults=_KILL, points=(ALL_WINDOWS,), kills=2, deadline_s=150),
        Part(config=ConfigClass.RECOMMENDED, faults=(), points=TWO_POINTS, kills=2, deadline_s=240),
        Part(config=ConfigClass.DEFAULT, faults=_KILL, points=(), kills=1, deadline_s=30),
        Part(
            config=ConfigClass.RECOMMENDED,
            faults=("service-kill",),
            points=(*TWO_POINTS, SERVICE_WINDOWS),
            kills=2,
            deadline_s=150,
            bridged=True,
        ),
        Part(
            config=ConfigClass.RECOMMENDED,
            faults=("service-away", "service-pause", "bridge-kill"),
            points=(*TWO_POINTS, _TAKEN, _DONE),
            kills=2,
            deadline_s=240,
            bridged=True,
        ),
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


def parts_of(profile: Profile, saga: Saga, bridge: str) -> list[Part]:
    """The blocks of a profile for a saga; those that strike services only with a ``--bridge``."""
    return [
        replace(part, points=tuple(dict.fromkeys(_fitted(part.points, saga))))
        for part in PROFILES[profile]
        if bridge != IN_PROCESS or not part.bridged
    ]


def _fitted(points: Sequence[str], saga: Saga) -> Iterator[str]:
    """These points, or the first ones like them of a saga that does not charge anything."""
    known = points_of(saga, service_windows(saga))
    for name in points:
        if name in known or name in (ALL_WINDOWS, SERVICE_WINDOWS):
            yield name
            continue
        way = "compensation" if name == TWO_POINTS[1] else "action"
        kind = name.rpartition(".")[2]
        alike = (full for full, aim in known.items() if aim.point == kind and aim.direction == way)
        yield from list(alike)[:1]
