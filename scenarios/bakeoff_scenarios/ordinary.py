"""The ordinary scenario: every order is one saga, under the usual faults, with stock for all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import partial

from bakeoff.checkers import Planned
from bakeoff.engine import Capability, Support
from bakeoff.expectation import Expectation, Facts, FatePlan, drawn_fates, expect
from bakeoff.orders.model import Order
from bakeoff.saga import Saga
from bakeoff.world import Profile
from bakeoff_scenarios.cancelling import Predict, can_be_cancelled, ends, members, refused, unhurried
from bakeoff_scenarios.faults import usual_faults
from bakeoff_scenarios.outside import Outside, is_order_saga
from bakeoff_scenarios.workload import Assignment, Request, Scenario, Workload


def make_ordinary(request: Request) -> Workload:
    """Plan one saga per order, with exactly predicted outcomes."""
    profile = usual_faults(request.saga, request.seed)
    cancel = request.info.claims[Capability.CANCEL]
    can_cancel = cancel.support is not Support.ABSENT
    known: dict[str, Expectation] = {}

    def predict(plan: Mapping[str, FatePlan], facts: Facts) -> Expectation:
        """Most sagas suffer nothing, and so the same."""
        key = json.dumps([plan, repr(facts)], sort_keys=True)
        if key not in known:
            known[key] = expect(request.saga, plan, facts)
        return known[key]

    outside = Outside(request.saga, request.seed)
    assignments = [_assign(request, profile, order, outside, can_cancel, predict) for order in request.orders]
    notes = []
    refusals = sum(one.planned.note == "refused" for one in assignments)
    if refusals:
        notes.append(f"{refusals} cancelled orders are refused at their first step instead: {cancel.reason}")
    stock: Counter[str] = Counter()
    for order in request.orders:
        stock.update(order.units())
    return Workload(
        assignments=assignments,
        orders=request.orders,
        stock=stock,
        profile=profile,
        counts=Counter(str(one.planned.expected.status) for one in assignments),
        notes=tuple(notes),
    )


def workflow_id_of(saga: Saga, order: Order) -> str:
    """``order-<order id>`` for the sagas of the order domain, ``<saga>-<order id>`` for others."""
    return order.workflow_id if is_order_saga(saga) else f"{saga.name}-{order.order_id}"


def _assign(
    request: Request, profile: Profile, order: Order, outside: Outside, can_cancel: bool, predict: Predict
) -> Assignment:
    saga, workflow_id = request.saga, workflow_id_of(request.saga, order)
    planned = partial(
        Planned,
        workflow_id=workflow_id,
        input=order.order_id,
        order_id=order.order_id if is_order_saga(saga) else None,
    )
    if not order.cancelled or not is_order_saga(saga):
        facts, signals = outside.of(workflow_id, order.order_id)
        drawn = drawn_fates(profile.to_json(), workflow_id, saga)
        return Assignment(planned=planned(expected=predict(drawn, facts)), signals=signals)
    if can_cancel and can_be_cancelled(saga):
        expected, alternatives = ends(saga, predict)
        return Assignment(
            planned=planned(expected=expected, alternatives=alternatives, note="cancelled"),
            cancel_after=members(saga.elements[0])[0].name,
            fates=unhurried(saga),
        )
    return Assignment(
        planned=planned(expected=predict(refused(saga), Facts()), note="refused"), fates=refused(saga)
    )


ORDINARY = Scenario(
    name="orders",
    description="one saga per order under the usual domain faults, with stock for all (the default)",
    make=make_ordinary,
)
