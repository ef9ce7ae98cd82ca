"""The worker process: ``python -m dramatiq bakeoff_dramatiq.worker:setup``.

Dramatiq's master forks its children and each child calls ``setup``, so nothing is shared between them.
"""

from __future__ import annotations

import dramatiq
from dramatiq import Broker, Middleware, Worker

from bakeoff.deployment import Deployment
from bakeoff.world import Participant, participant_of_this_process
from bakeoff_dramatiq.actors import declare_saga
from bakeoff_dramatiq.broker import make_broker, queue_name
from bakeoff_dramatiq.context import Context
from bakeoff_dramatiq.rows import Rows


class Announcement(Middleware):
    """Reports a child process once its threads take messages."""

    def __init__(self, participant: Participant) -> None:
        self._participant = participant

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Write the child into the ledger database."""
        self._participant.world.announce_worker()


def setup() -> None:
    """Make broker and actors of the deployment that this process was started for."""
    deployment = Deployment.of_this_process()
    participant = participant_of_this_process()
    broker, rows = make_broker(deployment), Rows(deployment)
    for saga in participant.sagas.values():
        declare_saga(Context(broker, rows, saga, queue_name(deployment), participant))
    broker.add_middleware(Announcement(participant))
    dramatiq.set_broker(broker)
