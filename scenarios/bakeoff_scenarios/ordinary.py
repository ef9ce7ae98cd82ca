"""The ordinary scenario: every order is one saga, under the usual faults, with stock for all."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import bakeoff.orders
from bakeoff.checkers import Planned
from bakeoff.engine import Capability, Support
from bakeoff.errors import UsageError
from bakeoff.expectation import Expectation, Facts, FatePlan, drawn_fates, expect
from bakeoff.orders.model import Order
from bakeoff.saga import JSON, Parallel, Saga, Step, Wait
from bakeoff.world import Fate, Profile
from bakeoff_scenarios.faults import usual_faults
from bakeoff_scenarios.workload import Assignment, Request, Scenario, Workload

#: Per mille of approvals that say no, and of waits with a timeout to which nobody answers at all.
_REJECTED = 150
_SILENT = 100


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

    assignments = [_assign(request, profile, order, can_cancel, predict) for order in request.orders]
    notes = []
    refused = sum(one.planned.note == "refused" for one in assignments)
    if refused:
        notes.append(f"{refused} cancelled orders are refused at their first step instead: {cancel.reason}")
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


def is_order_saga(saga: Saga) -> bool:
    """Whether it is one of bakeoff's own sagas that handle the order whose id they get."""
    return saga is not bakeoff.orders.NOOP and any(saga is one for one in vars(bakeoff.orders).values())


def _assign(
    request: Request,
    profile: Profile,
    order: Order,
    can_cancel: bool,
    predict: Callable[[Mapping[str, FatePlan], Facts], Expectation],
) -> Assignment:
    saga, workflow_id = request.saga, workflow_id_of(request.saga, order)
    ours = is_order_saga(saga)
    fates: dict[str, Fate] | None = None
    facts, signals, note = Facts(), dict[str, JSON](), ""
    cancel_after: str | None = None
    if order.cancelled and ours:
        first = saga.elements[0]
        members = _members(first)
        if can_cancel and len(saga.elements) > 1 and members and saga.pivot_index() != 0:
            # The first step takes its time, so that the cancel surely arrives before the saga is over.
            fates = {
                f"{step.name}:action": {"first": [f"slow:{step.timeout.total_seconds() / 4}"]}
                for step in members
            }
            facts, note, cancel_after = Facts(cancelled_during=first.name), "cancelled", members[0].name
        else:
            refusing = next(saga.steps())
            fates, note = {f"{refusing.name}:action": {"then": "decline"}}, "refused"
    if note != "cancelled":
        facts, signals = _told(saga, workflow_id, order.order_id, request.seed)
    plan = fates if fates is not None else drawn_fates(profile.to_json(), workflow_id, saga)
    return Assignment(
        planned=Planned(
            workflow_id=workflow_id,
            input=order.order_id,
            expected=predict(plan, facts),
            order_id=order.order_id if ours else None,
            note=note,
        ),
        signals=signals if note == "" else {},
        cancel_after=cancel_after,
        fates=fates,
    )


def _members(element: object) -> tuple[Step, ...]:
    if isinstance(element, Parallel):
        return element.steps
    return (element,) if isinstance(element, Step) else ()


def _told(saga: Saga, workflow_id: str, input: JSON, seed: int) -> tuple[Facts, dict[str, JSON]]:
    """What the world outside decides about a saga: signals with their payloads, declines that follow."""
    own = _own_facts(saga, input)
    declines = set(own.get("declines", ()))
    signals: dict[str, JSON] = dict(own.get("signals", {}))
    unknown = sorted(declines - {step.name for step in saga.steps()})
    if unknown:
        raise UsageError(
            f"saga {saga.name!r}: facts() declines {', '.join(unknown)}, which are no steps of it"
        )
    for wait in (element for element in saga.elements if isinstance(element, Wait)):
        if "signals" in own:
            continue
        drawn = _number(seed, workflow_id, wait.name)
        approved = drawn >= _REJECTED or not is_order_saga(saga)
        if wait.timeout is not None and _REJECTED <= drawn < _REJECTED + _SILENT:
            continue
        signals[wait.name] = {"approved": approved, "by": "bakeoff"}
        if not approved:
            declines.add("require_approval")
    return Facts(signals=frozenset(signals), declines=frozenset(declines)), signals


def _own_facts(saga: Saga, input: JSON) -> Mapping[str, Any]:
    """What the module of a user's saga says of an input, by a function called ``facts``; nothing if none."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        if callable(names.get("facts")) and any(value is saga for value in list(names.values())):
            told = names["facts"](input)
            if not isinstance(told, dict) or not set(told) <= {"declines", "signals"}:
                raise UsageError(
                    f"saga {saga.name!r}: facts() must return a dict of declines and signals, not {told!r}"
                )
            return told
    return {}


def _number(seed: int, workflow_id: str, what: str) -> int:
    """0..999, the same for the same seed, saga and question."""
    digest = hashlib.sha256(f"{seed}:{workflow_id}:{what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 1000


ORDINARY = Scenario(
    name="orders",
    description="one saga per order under the usual domain faults, with stock for all (the default)",
    make=make_ordinary,
)
