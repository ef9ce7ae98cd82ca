"""What Locust's command line asks for, and whether it can be meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bakeoff.bridge.bridges import ChosenBridge, choose_bridge
from bakeoff.errors import UsageError
from bakeoff.saga import Saga
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Contestant, Options, behind, find_contestants
from bakeoff_bench.load.asked import check_numbers
from bakeoff_bench.load.measured import least_patience_s
from bakeoff_bench.load.order import LONGEST_LEASE_S, MOST_PER_S, PATIENCE_S, LoadOrder, legs_of_shape
from bakeoff_bench.load.strike import Strike, strike_of
from bakeoff_scenarios import LoadScenario, find_load

#: If nobody says: arrivals per second of an open loop; seconds of warm-up, a quarter of the load at most.
_RATE_PER_S, _WARM_UP_S = 10.0, 3.0
#: Least and most of whole numbers, where the others have no check of their own.
_WITHIN = {"closed": (0, 10_000), "workers": (1, 256), "slots": (1, 1024), "seed": (0, 2**63)}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The options of Locust's command line; ``None`` and ``""`` where nothing was said.

    Attributes:
        folder: Where loads are prepared and their samples collected.
        scenario, engine, broker, config_class, sets, ledger, bridge: As for ``bakeoff load``.
        rate, duration, warm_up: Arrivals per second; seconds; seconds whose arrivals do not count.
        arrivals: How they are spaced.
        closed: Closed loop with so many sagas in flight; 0 for the open loop.
        shape: ``module:Class`` of the user's own ``LoadTestShape``.
        fault, arm_after: ``FAULT:POINT``, and the seconds after which it is armed.
        workers, slots, seed: As for ``bakeoff load``.
        out: Folder that keeps samples and histograms.
    """

    folder: str
    scenario: str
    engine: str
    broker: str
    config_class: str
    sets: Sequence[str]
    ledger: str
    bridge: str
    rate: float | None
    duration: float | None
    warm_up: float | None
    arrivals: str
    closed: int
    shape: str
    fault: str
    arm_after: float | None
    workers: int
    slots: int
    seed: int
    out: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``Wanted(**data)`` reverses it."""
        return asdict(self)

    @property
    def load(self) -> LoadScenario:
        """The scenario; ``UnknownNameError`` if there is none of this name."""
        return find_load(self.scenario)

    @cached_property
    def seconds(self) -> float:
        """How long sagas arrive; a shape says so itself."""
        if self.shape:
            return float(len(legs_of_shape(self.shape)))
        return self.load.duration_s if self.duration is None else self.duration

    @property
    def warm_up_s(self) -> float:
        """Seconds whose arrivals do not count."""
        return min(_WARM_UP_S, self.seconds / 4) if self.warm_up is None else self.warm_up

    def check(self) -> None:
        """See that the numbers can be meant, and go together.

        Raises:
            UsageError: For the first that cannot.
        """
        for name, (least, most) in _WITHIN.items():
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"--{name} {getattr(self, name)}: from {least} to {most}")
        if self.shape and self.duration is not None:
            raise UsageError("--duration: a shape says itself how long it is; leave --duration out")
        closed = self.closed or None
        check_numbers(self.rate, self.seconds, self.warm_up_s, 1.0, self.arm_after, closed, self.shape, None)
        if self.closed and self._fault:
            raise UsageError("--fault: a fault strikes an open loop; leave --closed out")
        if self.arm_after is not None and not self._fault:
            raise UsageError("--arm-after: there is no fault to arm; name one with --fault FAULT:POINT")
        if self.out and Path(self.out).exists():
            raise UsageError(f"--out {self.out}: it is there already; name a new folder")

    def strike(self, saga: Saga) -> Strike | None:
        """What is done in the middle of each load; ``UsageError`` if it cannot be read."""
        if not self._fault:
            return None
        after_s = self.load.arm_at * self.seconds if self.arm_after is None else self.arm_after
        return strike_of(self._fault, saga, after_s)

    @property
    def between(self) -> ChosenBridge:
        """The bridge; ``UsageError`` if there is none of this name, or it cannot be had."""
        return choose_bridge(self.bridge)

    def contestant(self) -> Contestant:
        """The engine with its settings, behind the bridge if there is one.

        Raises:
            UsageError: If there is none, or its server is to be killed and is not ours.
        """
        options = Options(
            engines=(self.engine,),
            brokers=(self.broker,) if self.broker else (),
            sets=tuple(self.sets),
        )
        try:
            config = ConfigClass(self.config_class)
        except ValueError:
            known = ", ".join(ConfigClass)
            raise UsageError(
                f"--config-class {self.config_class}: there is no such class; known: {known}"
            ) from None
        found = find_contestants(options, config, ours_only=bool(self._fault))
        if not found:
            raise UsageError(
                f"--config-class {config}: {self.engine} is as recommended there, or found with another "
                "broker"
            )
        return behind(found[:1], self.between.name)[0]

    def order(self, number: int, lease_s: float = 0.0) -> LoadOrder:
        """The load of one test run; every one has orders of its own.

        Args:
            number: Of the load, from 1.
            lease_s: Seconds after which the engine may still come back to what it left.
        """
        load = self.load
        rate = _RATE_PER_S if self.rate is None else self.rate
        patience_s = max(PATIENCE_S, load.parked_s + PATIENCE_S)
        return LoadOrder(
            deployment="",
            saga=load.saga,
            load=load.name,
            rate=1.0 if self.shape else rate,
            seconds=self.seconds,
            process="constant" if self.arrivals == "constant" else "poisson",
            seed=self.seed,
            arrival_seed=self.seed + number,
            label=f"locust-{number}",
            users=self.closed,
            sagas=round(self.seconds * MOST_PER_S) if self.closed else 0,
            patience_s=max(patience_s, least_patience_s(min(lease_s, LONGEST_LEASE_S))),
            shape=self.shape,
            folder=str(Path(self.folder) / f"load-{number}"),
        )

    @property
    def _fault(self) -> str:
        return self.fault or self.load.fault
