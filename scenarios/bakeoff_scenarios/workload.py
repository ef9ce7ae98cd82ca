"""What a scenario hands to the runner: sagas to start, what their client does, what they must come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bakeoff.checkers import Planned
from bakeoff.engine import Capability, EngineInfo
from bakeoff.orders.model import Order
from bakeoff.saga import JSON, Saga
from bakeoff.world import Fate, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One saga and what its client does about it.

    Attributes:
        planned: Identity, input and expectation.
        signals: ``{wait name: payload}``, sent right after the start.
        cancel_after: Step during whose first attempt a cancel is sent; ``None`` for no cancel.
        fates: Written faults of this saga; ``None`` leaves it to the profile.
    """

    planned: Planned
    signals: Mapping[str, JSON] = field(default_factory=dict)
    cancel_after: str | None = None
    fates: Mapping[str, Fate] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A scenario made concrete for one engine.

    Attributes:
        assignments: In the order in which they are started.
        orders: What the services are to know.
        stock: ``{stock code: units}`` on the shelves at the start.
        profile: Faults of sagas without written fates.
        counts: ``{status: sagas}`` that must come out, exactly.
        notes: Sentences that belong beside the result.
    """

    assignments: Sequence[Assignment]
    orders: Sequence[Order]
    stock: Mapping[str, int]
    profile: Profile
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for.

    Attributes:
        saga: The saga.
        orders: Usable orders, in the order of their file.
        seed: Of everything that is drawn.
        info: What the engine says of itself, with the settings in force.
    """

    saga: Saga
    orders: Sequence[Order]
    seed: int
    info: EngineInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named experiment.

    Attributes:
        name: For ``--scenario``.
        description: One line.
        needs: Capabilities that it asks for, beside those of the saga.
        make: From a request to a workload; raises ``UsageError`` if the saga does not fit.
    """

    name: str
    description: str
    make: Callable[[Request], Workload]
    needs: tuple[Capability, ...] = ()
