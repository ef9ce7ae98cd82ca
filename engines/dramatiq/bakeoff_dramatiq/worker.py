"""The worker process: ``python -m dramatiq bakeoff_dramatiq.worker:setup``.

Dramatiq's master forks its children and each child calls ``setup``, so nothing is shared between them.
"""

from __future__ import annotations

import asyncio
import logging
import threading

import dramatiq
from dramatiq import Broker, Middleware, Worker
from dramatiq.middleware import AgeLimit

from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError
from bakeoff.servers import RabbitmqServer, Server, ValkeyServer, server_away, silence_of
from bakeoff.world import Participant, participant_of_this_process
from bakeoff_dramatiq.actors import declare_saga
from bakeoff_dramatiq.broker import make_broker, queue_name
from bakeoff_dramatiq.context import Context
from bakeoff_dramatiq.headers import CarryHeaders
from bakeoff_dramatiq.rows import Rows
from bakeoff_dramatiq.windows import Windows

#: Seconds between two questions to a server that is away, and for its answer.
_AGAIN_S, _PATIENCE_S = 0.5, 5.0

_log = logging.getLogger(__name__)


class Announcement(Middleware):
    """Reports a child process once its threads take messages.

    They are there after the boot, but Dramatiq's consumers connect later and try again without end. So the
    servers are asked before; in a thread, because the child's own must stay free for SIGTERM.
    """

    def __init__(self, participant: Participant, deployment: Deployment) -> None:
        self._participant = participant
        self._deployment = deployment

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Write the child into the ledger database when both servers have answered."""
        threading.Thread(target=self._announce, name="announcement", daemon=True).start()

    def _announce(self) -> None:
        asyncio.run(self._servers())
        self._participant.world.announce_worker()

    async def _servers(self) -> None:
        told = None
        while (away := await self._silence()) is not None:
            if str(away) != told:
                _log.warning("waiting: %s", away)
            told = str(away)
            await asyncio.sleep(_AGAIN_S)

    async def _silence(self) -> ServerAwayError | None:
        if self._deployment.settings["broker"] == "rabbitmq":
            broker: Server = RabbitmqServer()
        else:
            broker = ValkeyServer(role="broker")
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await broker.probe(self._deployment.addresses["broker"])
        except Exception as error:  # of whatever kind: it is no answer
            return server_away(self._deployment, "broker", error)
        return await silence_of(self._deployment, "results")


def setup() -> None:
    """Make broker and actors of the deployment that this process was started for."""
    deployment = Deployment.of_this_process()
    participant = participant_of_this_process()
    broker, rows = make_broker(deployment), Rows(deployment)
    for saga in participant.sagas.values():
        declare_saga(Context(broker, rows, saga, queue_name(deployment), participant))
    broker.add_middleware(Announcement(participant, deployment))
    if participant.services.faults:
        broker.add_middleware(Windows(participant), before=AgeLimit)
    if participant.tracing is not None:
        broker.add_middleware(CarryHeaders(participant), before=AgeLimit)
    dramatiq.set_broker(broker)
