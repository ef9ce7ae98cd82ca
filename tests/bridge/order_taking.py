"""A saga whose input is what its first command wants, if it is right."""

from __future__ import annotations

from bakeoff.orders.taking import cancel_order, create_order
from bakeoff.saga import Saga, Step

TAKE_ORDER = Saga("take-order", (Step(name="create_order", action=create_order, compensation=cancel_order),))
