"""A process that relays events to a deployment's sagas: ``python -m bakeoff.bridge.relaying``."""

from __future__ import annotations

import asyncio
import logging
import signal

from bakeoff.bridge.accounts import tell
from bakeoff.bridge.bridges import connect_bridge
from bakeoff.bridge.relay import Relay, rules_of
from bakeoff.deployment import Deployment
from bakeoff.engine import Signals
from bakeoff.errors import BridgeAwayError, NotSupportedError
from bakeoff.patience import connected, disconnect
from bakeoff.plugins import Plugins
from bakeoff.registry import load_sagas
from bakeoff.telemetry.processes import tracing_of
from bakeoff.world import World


async def relay(deployment: Deployment) -> None:
    """Relay until SIGTERM or SIGINT.

    Raises:
        NotSupportedError: If the engine has no signals.
        BridgeAwayError: If the bridge does not answer.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    engine = Plugins().engine(deployment.engine)
    client = await connected(engine, deployment)
    try:
        if not isinstance(client, Signals):
            raise NotSupportedError(f"{deployment.engine} has no signals, so no event can signal its sagas")
        bridge = await connect_bridge(deployment, sender="BakeoffRelay", on_closed=ended.set)
        tracing = tracing_of(deployment, "bakeoff-relay")
        own = Relay(client=client, rules=rules_of(load_sagas(deployment.sagas).values()), tracing=tracing)
        try:
            await own.start(bridge)
            _announce(deployment)
            await ended.wait()
            if bridge.closed:
                raise BridgeAwayError("the connection to the bridge is lost for good")
        finally:
            await own.stop()
            tell("messages that were ignored", bridge.ignored)
            await bridge.close()
            if tracing is not None:
                tracing.close()
    finally:
        await disconnect(engine, client)


def _announce(deployment: Deployment) -> None:
    world = World.open(deployment.world_url)
    world.announce_worker(role="service")
    world.close()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    asyncio.run(relay(Deployment.of_this_process()))
