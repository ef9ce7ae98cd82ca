"""Events that signal sagas: what happened outside ends the wait of the saga that it is about."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bakeoff.bridge.accounts import tell
from bakeoff.bridge.commands import command_of
from bakeoff.bridge.interface import Bridge, Event, Serving
from bakeoff.engine import Signals
from bakeoff.errors import SignalRejectedError, UnserialisableError, WorkflowNotFoundError
from bakeoff.orders.model import Order
from bakeoff.saga import JSON, Saga, Wait
from bakeoff.signals import deliver

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing

#: Under which name a relay listens: however many there are, each event is relayed once.
DURABLE = "bakeoff-relay"

#: What no patience mends: nobody waits, or what the event says no engine can carry.
_REFUSALS = (WorkflowNotFoundError, SignalRejectedError, UnserialisableError, RecursionError, UnicodeError)

_logger = logging.getLogger(__name__)


def rules_of(sagas: Iterable[Saga]) -> dict[str, list[tuple[Saga, str]]]:
    """``{event: [(saga, signal), ...]}`` of every wait that an event ends (``Wait.event``)."""
    found: dict[str, dict[tuple[str, str], tuple[Saga, str]]] = {}
    for saga in sagas:
        for wait in saga.elements:
            if isinstance(wait, Wait) and wait.event is not None:
                rule = (saga, wait.signal_name)
                found.setdefault(wait.event, {})[saga.name, wait.signal_name] = rule
    return {event: list(rules.values()) for event, rules in found.items()}


def workflow_id_in(payload: JSON) -> str | None:
    """Which saga an event is about: it says ``workflowId``, or the ``orderId`` of its order."""
    if not isinstance(payload, dict):
        return None
    if isinstance(said := payload.get("workflowId"), str) and said:
        return said
    if isinstance(order := payload.get("orderId"), str) and order:
        return Order(order_id=order, lines=()).workflow_id
    return None


def workflow_id_of(saga: Saga, payload: JSON) -> str | None:
    """``workflow_id_in``; or the payload says what identifies the input of this saga (``userId``).

    That is the key of the command of its first step. ``bakeoff start`` and ``run`` call a saga of such an
    input ``SAGA-INPUT``.
    """
    if (said := workflow_id_in(payload)) is not None:
        return said
    key = next((command_of(step.action).identified_by for step in saga.steps()), "")
    known = payload.get(key) if key and isinstance(payload, dict) else None
    return f"{saga.name}-{known}" if isinstance(known, str) and known else None


@dataclass(slots=True, kw_only=True)
class Relay:
    """Hears events and signals sagas.

    An event is acknowledged after the engine has accepted the signal. One that is about nobody, or comes too
    late, is reported and acknowledged: it must not block those behind it. While the engine does not answer,
    events come again.

    Attributes:
        client: Of the engine.
        rules: ``rules_of`` the deployment's sagas.
        relayed, repeated: Events that signalled a saga, and those that had done so before.
        refused: ``{kind of reason: events}``; the log has the reasons.
        tracing: Of what is heard.
    """

    client: Signals
    rules: Mapping[str, Sequence[tuple[Saga, str]]]
    relayed: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    tracing: Tracing | None = None
    _heard: list[Serving] = field(default_factory=list)

    async def start(self, bridge: Bridge) -> None:
        """Hear what came since the last relay ended, and whatever comes."""
        for event in self.rules:
            self._heard.append(await bridge.on_event(event, self.hear, durable=DURABLE))

    async def stop(self) -> None:
        """Hear nothing more; what comes waits for the next relay."""
        for one in self._heard:
            await one.stop()
        tell("events that signalled nobody", self.refused)

    async def hear(self, event: Event) -> None:
        """Signal the saga that this event is about; raise what is the engine's trouble."""
        about = [
            (saga, signal, workflow_id)
            for saga, signal in self.rules.get(event.name, ())
            if (workflow_id := workflow_id_of(saga, event.payload)) is not None
        ]
        if self.tracing is None:
            await self._signal(event, about)
            return
        named = {workflow_id for _, _, workflow_id in about}
        with self.tracing.hearing(event, named.pop() if len(named) == 1 else None):
            await self._signal(event, about)

    async def _signal(self, event: Event, about: Sequence[tuple[Saga, str, str]]) -> None:
        reason = "it says neither workflowId, nor orderId, nor what identifies the input of a saga"
        kind = "about nobody"
        for saga, signal, workflow_id in about:
            # Services that answer a repeated command emit its event again: the same event, for the saga.
            signal_id = f"event:{event.name}:{workflow_id}"
            try:
                if await deliver(self.client, saga, workflow_id, signal, signal_id, event.payload):
                    self.relayed += 1
                else:
                    self.repeated += 1
                return
            except _REFUSALS as error:
                reason, kind = str(error), type(error).__name__
        self._refuse(event, reason, kind)

    def _refuse(self, event: Event, reason: str, kind: str) -> None:
        self.refused[kind] += 1  # of the reason there is one for each saga
        _logger.warning("event %s signals nobody: %s", event.name, reason)
