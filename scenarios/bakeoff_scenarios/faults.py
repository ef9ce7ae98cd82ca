"""Which domain faults a saga is to suffer in ``bakeoff run``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bakeoff.saga import Saga
from bakeoff.world import USUAL, Profile

#: Beyond it a step that takes four times its timeout would hold a run up.
_LONGEST_TIMEOUT = timedelta(seconds=5)
#: Per mille of the sagas whose step with an escalation fails for good.
_EXHAUSTED = 150


def usual_faults(saga: Saga, seed: int) -> Profile:
    """The usual mixture of faults, fitted to a saga so that every one of them settles.

    The order sagas decline at the payment and break at shipment or confirmation. Another saga declines at
    its second recorded step and breaks at its last one. Nothing is declined after the pivot, and nothing
    breaks for good from the pivot on: such a step is retried without limit. A saga with steps that keep no
    record (``noop``) exists to price an adapter, and suffers nothing. Slow steps are measured by their
    timeout, so where timeouts are long there are none: a run is no endurance test.
    """
    steps = list(saga.steps())
    if not all(step.recorded is True for step in steps):
        return Profile(seed=seed)
    usual: dict[str, Any] = dict(USUAL)
    names = [step.name for step in steps]
    if not set(names) & (set(usual["declines"]) | set(usual["broken"])):
        usual["declines"] = {names[min(1, len(names) - 1)]: 40}
        usual["broken"] = {names[-1]: 20}
    # Who hands over when he is exhausted is exhausted now and then.
    usual["broken"] = {
        **usual["broken"],
        **{step.name: _EXHAUSTED for step in steps if step.on_exhausted is not None},
    }
    longest = max(step.timeout for step in steps)
    if longest > _LONGEST_TIMEOUT:
        usual |= {"slow": 0, "too_slow": 0}
    pivot = saga.pivot_index()
    end = len(saga.elements) if pivot is None else saga.end_of(pivot)
    before = {name for name in names if pivot is None or not pivot <= saga.index_of(name) < end}
    upto = {name for name in names if pivot is None or not pivot < saga.index_of(name) < end}
    usual["declines"] = {name: share for name, share in usual["declines"].items() if name in upto}
    usual["broken"] = {name: share for name, share in usual["broken"].items() if name in before}
    return Profile(seed=seed, **usual)
