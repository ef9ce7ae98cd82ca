"""What a crash run is to do, decided before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bakeoff.cli.options import ChosenEngine
from bakeoff.nemesis import Fault
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.saga import Saga
from bakeoff.world import Aim
from bakeoff_bench.crash.kill import BESIDE

#: Rough seconds of one kill beside the engine's recovery: starting sagas, reaching the point, judging.
_KILL_S = 1.5
_START_S = 5.0
#: Rough seconds until an engine has recovered, where nobody knows better.
_RECOVERY_S = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashPlan:
    """The whole run.

    Attributes:
        engines: Contestants; they take turns, kill by kill.
        saga, references: The saga, and what workers load for it.
        points: ``{name: aim}``.
        faults: Kinds of fault.
        kills: Kills per engine, point and fault.
        deadline_s: Seconds after a fault by which everything must be settled.
        ledger: ``sqlite`` or ``postgres``.
        prefix: Of all names on servers that we did not start.
    """

    engines: Sequence[ChosenEngine]
    saga: Saga
    references: tuple[str, ...]
    points: Mapping[str, Aim]
    faults: Sequence[Fault]
    kills: int
    deadline_s: float
    ledger: str

    def shots(self) -> Iterator[tuple[Fault, str]]:
        """``(fault, point)`` in the order in which they are made; every engine gets each of them in turn."""
        for _ in range(self.kills):
            for name in self.points:
                for fault in self.faults:
                    yield fault, name

    @property
    def kills_in_all(self) -> int:
        """Over all engines."""
        return self.kills * len(self.points) * len(self.faults) * len(self.engines)

    def orders(self) -> list[Order]:
        """Real orders for every shot: one that is struck, and those beside it. All engines get the same."""
        needed = self.kills * len(self.points) * len(self.faults) * (1 + BESIDE)
        book = real_orders(2 * needed).orders  # some are cancellations
        return [order for order in book if not order.cancelled][:needed]

    def expected_seconds(self) -> float:
        """A rough guess; what really counts is the lease of each engine."""
        return len(self.engines) * _START_S + self.kills_in_all * (
            _KILL_S + min(self.deadline_s, _RECOVERY_S)
        )
