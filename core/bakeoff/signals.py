"""A signal as people and events know it, brought to the wait of a saga that takes it.

Engines deliver to waits by the wait's own name. A saga may wait for the same signal more than once (a
reminder lies between): the first wait that is not over takes it, and a repeat finds the one that took it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.engine import Signals
from bakeoff.errors import SignalRejectedError
from bakeoff.saga import JSON, Saga, Wait


def waits_for(saga: Saga, signal: str) -> Sequence[Wait]:
    """The waits that this signal can end, in order."""
    waits = (element for element in saga.elements if isinstance(element, Wait))
    return [wait for wait in waits if signal in (wait.signal_name, wait.name)]


async def deliver(
    client: Signals, saga: Saga, workflow_id: str, signal: str, signal_id: str, payload: JSON
) -> bool:
    """Deliver a signal by its outside name; ``False`` if this ``signal_id`` was delivered before (S7).

    Raises:
        WorkflowNotFoundError: For an unknown saga.
        SignalRejectedError: If every wait for it is over, or the saga has none.
    """
    refusal = SignalRejectedError(f"{workflow_id}: saga {saga.name!r} never waits for {signal!r}")
    for wait in waits_for(saga, signal):
        try:
            return await client.signal(workflow_id, wait.name, signal_id, payload)
        except SignalRejectedError as error:
            refusal = error
    raise refusal
