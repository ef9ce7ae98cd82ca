"""What a generator is told to do; everything else follows from it, in any process, on any machine."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.saga import Saga
from bakeoff_scenarios import Arrival, Leg, LoadScenario, Process, arrange, find_load, moments

#: Environment variable with the path of what a generator is told; without it Locust's own options say it.
ORDER_VARIABLE = "BAKEOFF_LOAD_ORDER"
#: Baskets that come in turn; enough for a mixture, few enough to be read in no time.
_BASKETS = 200
#: A closed loop is given sagas for so many per second: more than services and ledger take with no engine.
MOST_PER_S = 800
#: Seconds after the last arrival for which sagas are waited for, at least; nobody waits for a longer lease.
PATIENCE_S, LONGEST_LEASE_S = 60.0, 120.0
#: A shape of Locust's own that never ends is cut here.
_LONGEST_SHAPE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """One load on one engine.

    Attributes:
        deployment: File of the deployment.
        saga: Name of the saga, as the deployment's workers know it.
        load: Name of the scenario.
        rate: Arrivals per second that its shape is given.
        seconds: How long sagas arrive.
        process: How arrivals are spaced.
        seed, arrival_seed: Of fates, the same for every load of a world; of when sagas arrive.
        label: Makes the order ids of a load its own.
        users: Closed loop with so many sagas in flight; 0 for the open loop.
        sagas: Most sagas of a closed loop.
        patience_s: Seconds after the last arrival for which sagas are waited for.
        most_in_flight: Arrivals beyond it are shed, and void the round.
        shape: ``module:Class`` of a ``LoadTestShape`` whose users are read as arrivals per second.
        folder: Where the generator writes.
    """

    deployment: str
    saga: str
    load: str
    rate: float
    seconds: float
    process: Process
    seed: int
    arrival_seed: int
    label: str
    users: int = 0
    sagas: int = 0
    patience_s: float = 60.0
    most_in_flight: int = 20_000
    shape: str = ""
    folder: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``LoadOrder(**data)`` reverses it."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path) -> LoadOrder:
        """Read what ``write`` wrote."""
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        """For a generator process; complete or not there at all."""
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(self.to_json(), indent=2) + "\n")
        unfinished.replace(path)

    @property
    def scenario(self) -> LoadScenario:
        """The scenario."""
        return find_load(self.load)

    def legs(self) -> Sequence[Leg]:
        """The rate over time."""
        if self.shape:
            return legs_of_shape(self.shape)
        return self.scenario.shape(self.rate, self.seconds)

    def arrivals(self, saga: Saga) -> list[Arrival]:
        """Every saga of this load, in the order of their starts."""
        at_s = [0.0] * self.sagas if self.users else moments(self.legs(), self.process, self.arrival_seed)
        return arrange(self.scenario, saga, baskets(), at_s, seed=self.seed, label=self.label)


def baskets() -> Sequence[Order]:
    """The real orders whose baskets come in turn."""
    return real_orders(_BASKETS).orders


def legs_of_shape(reference: str) -> Sequence[Leg]:
    """Ask a ``LoadTestShape`` second by second; its users are arrivals per second.

    Raises:
        UsageError: If there is no such shape, it fails, or it never ends.
    """
    shape = _shape(reference)
    legs: list[Leg] = []
    while True:
        # Its clock is ours: a shape asks ``get_run_time()``, and the load has not begun.
        shape.get_run_time = lambda: float(len(legs))
        try:
            told = shape.tick()
        except Exception as error:  # a stranger's method may fail in any way at all
            raise UsageError(
                f"--shape {reference}: tick() failed: {type(error).__name__}: {error}"
            ) from error
        if told is None:
            break
        rate = told[0] if isinstance(told, Sequence) and told else told
        if not isinstance(rate, int | float) or not math.isfinite(rate) or rate < 0:
            raise UsageError(f"--shape {reference}: tick() must return (users, spawn rate), not {told!r}")
        if len(legs) >= _LONGEST_SHAPE_S:
            raise UsageError(f"--shape {reference}: tick() has not returned None for a whole day")
        legs.append(Leg(1.0, float(rate), float(rate)))
    if not any(leg.arrivals for leg in legs):
        raise UsageError(f"--shape {reference}: it starts no saga at all")
    return legs


def _shape(reference: str) -> Any:
    module, colon, name = reference.partition(":")
    if not colon:
        raise UsageError(f"--shape {reference}: say package.module:Class")
    try:
        return getattr(importlib.import_module(module), name)()
    except Exception as error:  # an import of a stranger's module may fail in any way at all
        raise UsageError(f"--shape {reference}: {type(error).__name__}: {error}") from error


def shares(arrivals: Sequence[Arrival], number: int, of: int) -> list[Arrival]:
    """What generator ``number`` of several starts: every so-manieth."""
    return list(arrivals[number::of])
