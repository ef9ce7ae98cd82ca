"""The service processes of a deployment: one per service, supervised like workers."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bakeoff.bridge.bridges import IN_PROCESS, connect_bridge
from bakeoff.bridge.commands import services_of
from bakeoff.bridge.relay import Relay, rules_of
from bakeoff.deployment import DEPLOYMENT_VARIABLE, Deployment
from bakeoff.engine import EngineClient, Signals
from bakeoff.processes import Launch, Launcher, Workers
from bakeoff.registry import load_sagas
from bakeoff.world import World

_READY_WITHIN_S = 30.0


@asynccontextmanager
async def running_services(
    deployment: Deployment, file: Path, launcher: Launcher, world: World
) -> AsyncIterator[Mapping[str, Workers]]:
    """Start one process for every service that the deployment's sagas need; yield ``{service: process}``.

    Without a bridge there are none: steps act in the workers.

    Raises:
        ServerStartError: If one does not come up.
    """
    if deployment.bridge == IN_PROCESS:
        yield {}
        return
    staff = {
        name: service_workers(launcher, f"service-{name}", service_launch(file, name), world)
        for name in sorted(services_of(load_sagas(deployment.sagas).values()))
    }
    try:
        await asyncio.gather(*(workers.start(1, _READY_WITHIN_S) for workers in staff.values()))
        yield staff
    finally:
        await asyncio.gather(*(workers.stop() for workers in staff.values()))


@asynccontextmanager
async def running_relay(
    deployment: Deployment, file: Path, launcher: Launcher, world: World, client: EngineClient, *, here: bool
) -> AsyncIterator[None]:
    """Relay events to the sagas of the deployment, where any of them waits for one.

    In a process of its own, or, for an engine whose sagas run in its client's process, ``here``.
    """
    rules = rules_of(load_sagas(deployment.sagas).values())
    if deployment.bridge == IN_PROCESS or not rules or not isinstance(client, Signals):
        yield
        return
    if not here:
        argv = [sys.executable, "-P", "-m", "bakeoff.bridge.relaying"]
        launch = Launch(argv=argv, env={DEPLOYMENT_VARIABLE: str(file)}, stop_within_s=10)
        group = service_workers(launcher, "relay", launch, world)
        try:
            await group.start(1, _READY_WITHIN_S)
            yield
        finally:
            await group.stop()
        return
    bridge = await connect_bridge(deployment, sender="BakeoffRelay")
    relay = Relay(client=client, rules=rules)
    try:
        await relay.start(bridge)
        yield
    finally:
        await relay.stop()
        await bridge.close()


def service_workers(launcher: Launcher, name: str, launch: Launch, world: World) -> Workers:
    """Supervised processes of services; none is started yet."""
    host = socket.gethostname()
    return Workers(
        launcher,
        name,
        launch,
        lambda: [seen.pid for seen in world.workers("service") if seen.host == host],
    )


def service_launch(file: Path, *names: str) -> Launch:
    """How a process of these services is started, for the deployment in ``file``."""
    argv = [sys.executable, "-P", "-m", "bakeoff.bridge.service", *names]
    return Launch(argv=argv, env={DEPLOYMENT_VARIABLE: str(file)}, stop_within_s=10)
