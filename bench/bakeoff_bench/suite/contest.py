"""Who takes part in ``pytest bench``, with which leases, and where their workers die."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.contract.contestants import Contestant, Wishes, find_contestants
from bakeoff.engine import Survives
from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.orders import ORDER
from bakeoff.settings import ConfigClass
from bakeoff.world import Aim
from bakeoff_bench.crash.points import Moment, points_of, windows_of
from bakeoff_scenarios import LoadScenario, find_load

#: The orphaned charge: money has moved, and nobody was told.
POINT = "charge_payment.after_effect"
#: What engines are put under unless the command line names another load; sagas per second.
LOAD, RATE, LOAD_ROUNDS = "order-steady", 5.0, 3
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line of pytest asked for.

    Attributes:
        contestants: ``{label: contestant}``.
        own_leases: Whether a killed worker's leases are those of the class, instead of short ones.
        point, aim: Where a worker is killed.
        rounds, warm_up: Of every benchmark; ``None`` for its own number.
        loads: Named loads that engines are put under.
        rate: Arrivals per second of these.
        duration_s: Seconds of each round of these; ``None``: each load's own.
    """

    contestants: dict[str, Contestant]
    own_leases: bool
    point: str
    aim: Aim
    rounds: int | None
    warm_up: int | None
    loads: dict[str, LoadScenario]
    rate: float
    duration_s: float | None


def asked_of(config: pytest.Config) -> Asked:
    """Read the command line.

    Raises:
        UsageError: If it asks for something that does not exist.
    """
    option = config.getoption
    found = find_contestants(
        Wishes(
            engines=option("--engine") or (),
            plugins=option("--engine-plugin"),
            sets=option("--set"),
            raws=option("--set-raw"),
            broker=option("--broker"),
            bridge=option("--bridge") or IN_PROCESS,
            config_class=option("--config") or ConfigClass.RECOMMENDED,
        )
    )
    return Asked(
        contestants={one.label: one for one in map(_named, found)},
        own_leases=option("--own-leases"),
        point=option("--point"),
        aim=find_point(option("--point"), found),
        rounds=option("--rounds"),
        warm_up=option("--warm-up"),
        loads={name: find_load(name) for name in option("--scenario") or [LOAD]},
        rate=_positive("--rate", option("--rate")),
        duration_s=None if option("--duration") is None else _positive("--duration", option("--duration")),
    )


def _named(one: Contestant) -> Contestant:
    """Behind a bridge a contestant of its own: its steps are made by services elsewhere."""
    if one.bridge.name == IN_PROCESS:
        return one
    return replace(one, label=f"{one.label} over {one.bridge.name}")


def _positive(name: str, value: float) -> float:
    if not (math.isfinite(value) and 0 < value <= _MOST):
        raise UsageError(f"{name} {value:g}: a number above 0, at most {_MOST}")
    return value


def find_point(name: str, contestants: Iterable[Contestant]) -> Aim:
    """The point called ``name``, of the saga ``order`` or of one of the engines.

    Raises:
        UnknownNameError: If no process ever stands there.
    """
    windows = windows_of(ORDER, [(one.engine, one.settings) for one in contestants])
    known = {full: aim for full, aim in points_of(ORDER, windows).items() if aim.point not in tuple(Moment)}
    if name not in known:
        raise UnknownNameError(f"--point {name}: no process stands there; known: {', '.join(known)}")
    return known[name]


def with_short_leases(one: Contestant) -> Contestant:
    """The same with the leases of class ``ci``, but those that were set: a minute's wait is no finding."""
    settings, declared = one.settings, one.engine.info().settings
    short = {s.name: s.ci for s in declared if s.lease and s.name not in settings.changed}
    settings = replace(settings, values={**settings.values, **short})
    return replace(one, settings=settings, info=one.engine.info(settings))


def why_not_killed(one: Contestant) -> str:
    """Why nothing would recover, by the engine's own word; empty if something does."""
    if one.info.survives & {Survives.STEP_KILL, Survives.WORKER_KILL}:
        return ""
    return f"{one.name} declares to survive no kill: {one.info.note}"
