"""What a crash run is to do, decided before anything starts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.nemesis import BridgeKill, Fault, Need, ServiceAway, ServiceKill, ServicePause
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.saga import Saga
from bakeoff.world.world import Participants
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.crash.kill import BESIDE

#: Rough seconds of one kill beside the engine's recovery: starting sagas, reaching the point, judging.
_KILL_S = 2.0
_START_S = 5.0
#: Rough seconds until an engine has recovered, where nobody knows better.
_RECOVERY_S = 8.0
#: Rough seconds of a kill during which something computes: until the workers are ready again.
_BUSY_S = 4.0
_BEHIND_THE_BRIDGE = (ServiceKill, ServiceAway, ServicePause, BridgeKill)
#: Who takes a dead worker's work over sooner than that needs no second stack to be through in time.
_LONG_LEASE_S = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One block of the matrix: these contestants, each fault at each of these points.

    Attributes:
        title: What distinguishes it: ``recommended``, ``as shipped``.
        contestants: They take turns, kill by kill.
        faults: Kinds of fault.
        points: Names, as ``--point`` takes them.
        kills: Per contestant, fault and point.
        deadline_s: Seconds after a fault by which everything must be settled.
    """

    title: str
    contestants: Sequence[Contestant]
    faults: Sequence[Fault]
    points: Sequence[str]
    kills: int
    deadline_s: float

    @property
    def kills_in_all(self) -> int:
        """Over all contestants."""
        return self.kills * len(self.points) * len(self.faults) * len(self.contestants)

    @property
    def spares_workers(self) -> bool:
        """Whether only services and the bridge are struck: no lease of an engine has to be waited for."""
        return all(isinstance(fault, _BEHIND_THE_BRIDGE) for fault in self.faults)

    def by_needs(self) -> Iterator[tuple[frozenset[Need], list[Fault]]]:
        """The faults, together where one and the same stack can take them."""
        groups: dict[frozenset[Need], list[Fault]] = {}
        for fault in self.faults:
            groups.setdefault(fault.needs, []).append(fault)
        yield from groups.items()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One fault at one point, done to every contestant with the same orders.

    Attributes:
        fault, point: Names.
        orders: The one that is struck, then those beside it.
    """

    fault: str
    point: str
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashPlan:
    """The whole run.

    Attributes:
        saga, references: The saga, and what workers load for it.
        series: Blocks of the matrix, one after the other.
        seed: Decides the order of the shots, and which orders they take.
        lanes: Kills that compute at the same time, each on servers and workers of its own; a kill that only
            waits for a lease does not count.
        copies: Stacks of each contestant with a long lease, which then waits for several kills at once.
        participants: ``idempotent`` or ``naive``.
        bridge: Between steps and services.
        otlp: Receiver of spans.
    """

    saga: Saga
    references: tuple[str, ...]
    series: Sequence[Series]
    seed: int
    lanes: int
    participants: Participants = "idempotent"
    copies: int = 1
    bridge: ChosenBridge = NO_BRIDGE
    otlp: str | None = None

    def copies_of(self, one: Contestant, shots: int) -> int:
        """How many stacks a contestant gets that has so many shots before it."""
        return min(self.copies, shots) if (one.lease_s or 0) > _LONG_LEASE_S else 1

    @property
    def kills_in_all(self) -> int:
        """Over all blocks."""
        return sum(one.kills_in_all for one in self.series)

    def shots(self, number: int, faults: Sequence[Fault]) -> list[Shot]:
        """The shots of a block with these faults, in the order in which they are made.

        Each pass goes through all points in an order of its own, so that nothing that drifts with time is
        taken for a property of a point. The seed alone decides: a run that is resumed makes the same shots.
        """
        series = self.series[number]
        names = ",".join(fault.name for fault in faults)
        chance = random.Random(f"{self.seed}:{number}:{names}")
        targets: list[tuple[str, str]] = []
        for _ in range(series.kills):
            once = [(fault.name, point) for point in series.points for fault in faults]
            chance.shuffle(once)
            targets += once
        each = 1 + BESIDE
        chosen = _draw(chance, each * len(targets))
        return [
            Shot(fault=fault, point=point, orders=tuple(chosen[i * each : (i + 1) * each]))
            for i, (fault, point) in enumerate(targets)
        ]

    def expected_seconds(self, leases: Mapping[str, float | None]) -> float:
        """A rough guess.

        Args:
            leases: ``{label: seconds}`` after which a contestant takes a dead worker's work for its own.
        """
        seconds = 0.0
        for series in self.series:
            shots = series.kills * len(series.points) * len(series.faults)
            each, stacks = [0.0], 0
            for one in series.contestants:
                lease_s = None if series.spares_workers else leases.get(one.label)
                wait_s = min(series.deadline_s, (lease_s or _RECOVERY_S) + 1)
                copies = self.copies_of(one, shots)
                each.append((_KILL_S + wait_s) / copies)
                stacks += copies
            busy = _BUSY_S * len(series.contestants) / self.lanes
            seconds += shots * max(busy, *each) + len(list(series.by_needs())) * _START_S * stacks
        return seconds


@cache
def _book() -> tuple[Order, ...]:
    return tuple(order for order in real_orders().orders if not order.cancelled)


def _draw(chance: random.Random, count: int) -> list[Order]:
    """So many real orders, each under an id of its own, also where there are not so many."""
    book = _book()
    drawn: list[Order] = []
    for again in range(-(-count // len(book))):
        once = chance.sample(book, min(len(book), count - len(drawn)))
        drawn += [replace(o, order_id=f"{o.order_id}-{again}") for o in once] if again else once
    return drawn
