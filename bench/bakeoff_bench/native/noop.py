"""The body that makes a native comparable with an adapter: the ``noop`` saga through ``bakeoff.world``.

Give it to a native as ``--body bakeoff_bench.native.noop:perform`` and set ``BAKEOFF_DEPLOYMENT`` to a
deployment file, so that both sides write the same ledger.
"""

from __future__ import annotations

from bakeoff.saga import JSON, Direction
from bakeoff.world import participant_of_this_process

#: ``{name in the native: (step of ``noop``, direction)}``.
_CALLS: dict[str, tuple[str, Direction]] = {
    "reserve_inventory": ("first", "action"),
    "charge_payment": ("second", "action"),
    "create_shipment": ("third", "action"),
    "send_confirmation": ("last", "action"),
    "release_inventory": ("first", "compensation"),
    "refund_payment": ("second", "compensation"),
    "cancel_shipment": ("third", "compensation"),
}


def perform(step: str, saga_id: str, attempt: int) -> JSON:
    """Run one attempt of the ``noop`` step in this place; ``attempt`` counts from 1."""
    name, direction = _CALLS[step]
    return participant_of_this_process().perform(
        "noop", name, direction, workflow_id=saga_id, input=None, results={}, attempt=attempt
    )
