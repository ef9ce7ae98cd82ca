"""A process of one service, or of several: ``python -m bakeoff.bridge.service NAME...``."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

from bakeoff.bridge.accounts import tell
from bakeoff.bridge.bridges import connect_bridge
from bakeoff.bridge.commands import load_validator, services_in
from bakeoff.bridge.host import ServiceHost
from bakeoff.deployment import Deployment
from bakeoff.errors import BridgeAwayError, UnknownNameError
from bakeoff.telemetry.processes import tracing_of
from bakeoff.world import World

#: Commands that one process handles at once: slow ones must not keep an undo waiting.
_AT_ONCE = 64


async def serve(deployment: Deployment, names: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT; what was taken by then is answered.

    Raises:
        UnknownNameError: If no saga of the deployment needs such a service.
        BridgeAwayError: If the bridge does not answer.
    """
    known = services_in(deployment.sagas)
    for name in names:
        if name not in known:
            raise UnknownNameError(f"service {name!r} is not known; known: {', '.join(sorted(known))}")
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    world = World.open(deployment.world_url)
    tracing = tracing_of(deployment, names[0] if len(names) == 1 else "bakeoff-services")
    try:
        bridge = await connect_bridge(deployment, sender=names[0], on_closed=ended.set, tracing=tracing)
        host = ServiceHost(bridge, world.services(), _AT_ONCE)
        try:
            load_validator()
            for name in names:
                await host.serve(known[name].values())
            world.announce_worker(role="service")
            await ended.wait()
            if bridge.closed:
                raise BridgeAwayError("the connection to the bridge is lost for good")
        finally:
            await host.stop()
            tell("messages that were ignored", bridge.ignored)
            await bridge.close()
    finally:
        world.close()
        if tracing is not None:
            tracing.close()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    asyncio.run(serve(Deployment.of_this_process(), sys.argv[1:]))
