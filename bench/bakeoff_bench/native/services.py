"""The body that makes a native comparable with an adapter: its steps act in ``bakeoff.world``.

Give it to a native as ``--body bakeoff_bench.native.services:perform`` and set ``BAKEOFF_DEPLOYMENT`` to a
deployment file, so that both sides write the same ledger. A saga whose id begins with ``order-`` is that of
the order with this id; any other one does ``noop``.
"""

from __future__ import annotations

from bakeoff.saga import JSON, Direction
from bakeoff.world import participant_of_this_process

#: ``{name in the native: (step of ``order``, step of ``noop``, direction)}``.
_CALLS: dict[str, tuple[str, str, Direction]] = {
    "reserve_inventory": ("reserve_inventory", "first", "action"),
    "charge_payment": ("charge_payment", "second", "action"),
    "create_shipment": ("create_shipment", "third", "action"),
    "send_confirmation": ("send_confirmation", "last", "action"),
    "release_inventory": ("reserve_inventory", "first", "compensation"),
    "refund_payment": ("charge_payment", "second", "compensation"),
    "cancel_shipment": ("create_shipment", "third", "compensation"),
}


def perform(step: str, saga_id: str, attempt: int) -> JSON:
    """Run one attempt of the step in this place; ``attempt`` counts from 1."""
    in_order, in_noop, direction = _CALLS[step]
    is_order = saga_id.startswith("order-")
    return participant_of_this_process().perform(
        "order" if is_order else "noop",
        in_order if is_order else in_noop,
        direction,
        workflow_id=saga_id,
        input=saga_id if is_order else None,
        results={},
        attempt=attempt,
    )
