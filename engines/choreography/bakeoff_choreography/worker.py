"""One worker process: as many slots as the deployment says, each hears one event at a time.

Run as ``python -m bakeoff_choreography.worker`` with ``BAKEOFF_DEPLOYMENT`` set.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys

import nats.errors
from nats.js import JetStreamContext

from bakeoff.deployment import Deployment
from bakeoff.errors import BakeoffError, ServerAwayError
from bakeoff.world import Participant
from bakeoff_choreography.log import SILENCES, Log
from bakeoff_choreography.participants import Participants

#: Seconds for which a slot asks for an event at a time, and between two questions to a server that is away.
_ASK_S, _AGAIN_S = 1.0, 0.5
#: Seconds until an event comes again at which a participant broke down.
_STRANGE_S = 5.0

_logger = logging.getLogger(__name__)


async def serve(deployment: Deployment) -> None:
    """Hear events until SIGTERM or SIGINT, then finish what is begun."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    participant = Participant.of(deployment)
    log = await _connected(deployment, stop)
    if log is None:
        return
    lease_s = float(deployment.settings["ack_wait_s"])
    participants = Participants(log, participant, deployment.slots, lease_s)
    slots = [asyncio.create_task(_slot(log, participants, stop)) for _ in range(deployment.slots)]
    participant.world.announce_worker()
    try:
        await asyncio.gather(*slots)
    finally:
        participants.close()
        await log.close()
        participant.close()


async def _connected(deployment: Deployment, stop: asyncio.Event) -> Log | None:
    """Wait for the server as long as it takes; ``None`` if this process is to end before."""
    while not stop.is_set():
        try:
            return await Log.connect(deployment, "worker")
        except ServerAwayError as error:
            _logger.warning("waiting: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_S):
                    await stop.wait()
    return None


async def _slot(log: Log, participants: Participants, stop: asyncio.Event) -> None:
    slot = await log.slot()
    while not stop.is_set():
        try:
            await _turn(slot, participants)
        except nats.errors.TimeoutError:
            continue  # nothing to hear
        except SILENCES as error:
            _logger.warning("hearing nothing: %s", error or type(error).__name__)
            await asyncio.sleep(_AGAIN_S)
            with contextlib.suppress(*SILENCES):  # a server that lost its data has no log
                await log.prepare()


async def _turn(slot: JetStreamContext.PullSubscription, participants: Participants) -> None:
    for message in await slot.fetch(1, timeout=_ASK_S):
        try:
            await participants.hear(message)
        except SILENCES:
            raise
        except Exception:  # of this event alone: the others must be heard
            _logger.exception("%s comes again", message.subject)
            await message.nak(_STRANGE_S)


def main() -> int:
    """Serve the deployment of this process; 2 for a user's mistake, told in one line."""
    try:
        asyncio.run(serve(Deployment.of_this_process()))
    except BakeoffError as error:
        print(f"bakeoff worker: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
