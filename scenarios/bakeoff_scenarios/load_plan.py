"""From a load and its moments to sagas: the same orders with the same fates for every engine."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeoff.checkers import Planned
from bakeoff.expectation import Expectation, drawn_fates, expect
from bakeoff.orders.model import Order
from bakeoff.saga import JSON, Saga
from bakeoff.world import Fate, Profile
from bakeoff_scenarios.answers import ANSWER, answered_waits, depends_on_input, prompt_facts
from bakeoff_scenarios.loads import LoadScenario
from bakeoff_scenarios.outside import is_order_saga

#: Units of every product on the shelves: a load measures engines, and no order is to meet an empty shelf.
PLENTY = 1_000_000_000
_DECLINED_AT = "charge_payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One saga of a load.

    Attributes:
        at_s: When it is to be started, in seconds after the beginning.
        kind: Arrivals of one kind share a distribution: the saga's name, ``slow`` for a slow neighbour.
        order: What the services are to know of it.
        planned: What must come of it.
        fates: Written faults; ``None`` leaves it to the world's profile.
        signals: ``{wait name: payload}`` that it gets.
    """

    at_s: float
    kind: str
    order: Order
    planned: Planned
    fates: Mapping[str, Fate] | None
    signals: Mapping[str, JSON]


def profile_of(load: LoadScenario, saga: Saga, seed: int) -> Profile:
    """What the world does to the sagas of this load that have no written fates."""
    named = {step.name for step in saga.steps()}
    declines = {_DECLINED_AT: round(1000 * load.declined)} if _DECLINED_AT in named else {}
    share = round(1000 * load.exhausted)
    broken = {step.name: share for step in saga.steps() if step.on_exhausted is not None and share}
    return Profile(seed=seed, declines=declines, broken=broken)


def shelves(orders: Sequence[Order]) -> dict[str, int]:
    """``{stock code: units}``: more of everything than any load can sell."""
    return {sku: PLENTY for order in orders for sku in order.units()}


def arrange(
    load: LoadScenario, saga: Saga, orders: Sequence[Order], at_s: Sequence[float], *, seed: int, label: str
) -> list[Arrival]:
    """One arrival per moment, with the baskets of real orders in turn.

    Args:
        load, saga: What arrives.
        orders: Baskets; cancelled ones are left out.
        at_s: Moments.
        seed: Of fates and of which ones are slow.
        label: Makes the order ids of one round its own.
    """
    baskets = [order for order in orders if not order.cancelled]
    profile = profile_of(load, saga, seed)
    drawn = random.Random(f"{seed}:{label}")
    signals: dict[str, JSON] = dict.fromkeys(answered_waits(saga), ANSWER)
    known: dict[str, Expectation] = {}
    return [
        _arrival(load, saga, profile, moment, basket, drawn.random() < load.slow, signals, known)
        for moment, basket in (
            (moment, replace(baskets[number % len(baskets)], order_id=f"{label}-{number:06d}"))
            for number, moment in enumerate(at_s)
        )
    ]


def _arrival(
    load: LoadScenario,
    saga: Saga,
    profile: Profile,
    moment: float,
    order: Order,
    slow: bool,
    signals: Mapping[str, JSON],
    known: dict[str, Expectation],
) -> Arrival:
    ours = is_order_saga(saga)
    workflow_id = order.workflow_id if ours else f"{saga.name}-{order.order_id}"
    first = next(saga.steps()).name
    fates: dict[str, Fate] | None = {f"{first}:action": {"first": [f"slow:{load.slow_s}"]}} if slow else None
    suffered = fates if fates is not None else drawn_fates(profile.to_json(), workflow_id, saga)
    facts = prompt_facts(saga, order.order_id if depends_on_input(saga) else None)
    key = json.dumps([suffered, repr(facts)], sort_keys=True)  # most sagas suffer nothing, and so the same
    if key not in known:
        known[key] = expect(saga, suffered, facts)
    return Arrival(
        at_s=moment,
        kind="slow" if slow else saga.name,
        order=order,
        planned=Planned(
            workflow_id=workflow_id,
            input=order.order_id,
            expected=known[key],
            order_id=order.order_id if ours else None,
        ),
        fates=fates,
        signals=signals,
    )


def counts_of(arrivals: Sequence[Arrival]) -> Counter[str]:
    """``{status: sagas}`` that must come out."""
    return Counter(str(one.planned.expected.status) for one in arrivals)
