"""What happens outside and signals sagas: over a bridge the event that the wait names, as a service emits it.

The event is emitted by the harness. A command of the service would leave an entry in the ledger that is no
saga's, and the ledger of a run holds nothing else.
"""

from __future__ import annotations

import asyncio

from bakeoff.bridge import Bridge
from bakeoff.bridge.bridges import IN_PROCESS, connect_bridge
from bakeoff.bridge.commands import services_in
from bakeoff.bridge.relay import workflow_id_of
from bakeoff.deployment import Deployment
from bakeoff.saga import JSON, Saga, Wait


class Outside:
    """Emits events about sagas of one kind over the deployment's bridge; connects at the first of them."""

    def __init__(self, deployment: Deployment, saga: Saga) -> None:
        self._deployment = deployment
        self._saga = saga
        self._events = {} if deployment.bridge == IN_PROCESS else _events_of(deployment, saga)
        self._bridge: Bridge | None = None
        self._connecting = asyncio.Lock()

    def event_for(self, wait: str, workflow_id: str, payload: JSON) -> str | None:
        """The event that ends this wait of this saga; ``None`` where it takes a signal of the client's."""
        event = self._events.get(wait)
        return event if event and workflow_id_of(self._saga, payload) == workflow_id else None

    async def emit(self, event: str, payload: JSON) -> None:
        """Let it happen; ``BridgeAwayError`` if the bridge does not take it."""
        async with self._connecting:
            if self._bridge is None or self._bridge.closed:
                self._bridge = await connect_bridge(self._deployment, sender="BakeoffOutside")
        await self._bridge.emit(event, payload)

    async def close(self) -> None:
        """Let go of the connection; the next event makes another."""
        if self._bridge is not None:
            await self._bridge.close()
            self._bridge = None


def _events_of(deployment: Deployment, saga: Saga) -> dict[str, str]:
    """``{wait: event}`` of waits whose event a service of the deployment emits.

    Of several waits for one signal an event ends the first that is not over: right after the start that is
    the first of them, and the others cannot be meant.
    """
    services = services_in(deployment.sagas).values()
    emitted = {command.event for commands in services for command in commands.values()}
    return {
        wait.name: wait.event
        for wait in saga.elements
        if isinstance(wait, Wait) and wait.event in emitted and wait.event and wait.signal_name == wait.name
    }
