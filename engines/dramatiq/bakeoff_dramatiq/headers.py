"""The trace context of a saga, from message to message in their options."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, Message, Middleware, Worker
from dramatiq.broker import MessageProxy

from bakeoff.telemetry import carried, carry, headers_in
from bakeoff.world import Participant


class CarryHeaders(Middleware):
    """Puts what is carried into every message, and carries what a message brings while it is processed.

    It stands before all others: its hook after an actor runs last, when what follows is published.
    """

    def __init__(self, participant: Participant | None = None) -> None:
        self._participant = participant

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Give a message its headers; one that comes again has them."""
        headers = carried()
        if headers is not None:
            message.options.update(headers)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Carry on."""
        carry(headers_in(message.options))

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """The thread's next message is another saga's."""
        carry(None)

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """The same."""
        carry(None)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Export the last spans of this process."""
        if self._participant is not None and self._participant.tracing is not None:
            self._participant.tracing.close()
