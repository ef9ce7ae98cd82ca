"""The service processes of a deployment: one per service, supervised like workers."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bakeoff.bridge.accounts import tell
from bakeoff.bridge.bridges import IN_PROCESS, connect_bridge
from bakeoff.bridge.commands import services_in
from bakeoff.bridge.relay import Relay, rules_of
from bakeoff.deployment import DEPLOYMENT_VARIABLE, Deployment
from bakeoff.engine import EngineClient, Signals
from bakeoff.errors import BakeoffError
from bakeoff.processes import Launch, Launcher, Workers
from bakeoff.registry import load_sagas
from bakeoff.telemetry.processes import tracing_of
from bakeoff.world import World

#: Seconds for processes that start at the same time: for all, and more for each.
_READY_WITHIN_S, _MORE_FOR_EACH_S = 30.0, 5.0


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
        for name in sorted(services_in(deployment.sagas))
    }
    try:
        await started(staff.values())
        yield staff
    finally:
        await asyncio.gather(*(workers.stop() for workers in staff.values()))


async def started(groups: Iterable[Workers]) -> None:
    """Start one process of each at the same time; if one fails, none goes on starting."""
    everyone = list(groups)
    within_s = _READY_WITHIN_S + _MORE_FOR_EACH_S * len(everyone)
    try:
        async with asyncio.TaskGroup() as starting:
            for group in everyone:
                starting.create_task(group.start(1, within_s))
    except* BakeoffError as failed:
        raise failed.exceptions[0] from None


def waits_for_events(deployment: Deployment) -> bool:
    """Whether any saga of the deployment does, so that a relay has something to do."""
    return deployment.bridge != IN_PROCESS and bool(rules_of(load_sagas(deployment.sagas).values()))


@asynccontextmanager
async def running_relay(
    deployment: Deployment, file: Path, launcher: Launcher, world: World, client: EngineClient, *, here: bool
) -> AsyncIterator[Workers | None]:
    """Relay events to the sagas of the deployment, where any of them waits for one.

    In a process of its own, or, for an engine whose sagas run in its client's process, ``here``.
    """
    if not waits_for_events(deployment) or not isinstance(client, Signals):
        yield None
        return
    if not here:
        group = service_workers(launcher, "relay", relay_launch(file), world)
        try:
            await group.start(1, _READY_WITHIN_S)
            yield group
        finally:
            await group.stop()
        return
    rules = rules_of(load_sagas(deployment.sagas).values())
    bridge = await connect_bridge(deployment, sender="BakeoffRelay")
    tracing = tracing_of(deployment, "bakeoff-relay")
    relay = Relay(client=client, rules=rules, tracing=tracing)
    try:
        await relay.start(bridge)
        yield None
    finally:
        await relay.stop()
        tell("messages that were ignored", bridge.ignored)
        await bridge.close()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)


def service_workers(launcher: Launcher, name: str, launch: Launch, world: World) -> Workers:
    """Supervised processes of services; none is started yet."""
    host = socket.gethostname()
    return Workers(
        launcher,
        name,
        launch,
        lambda: [seen.pid for seen in world.workers("service") if seen.host == host],
    )


def relay_launch(file: Path) -> Launch:
    """How a relay is started, for the deployment in ``file``."""
    argv = [sys.executable, "-P", "-m", "bakeoff.bridge.relaying"]
    return Launch(argv=argv, env={DEPLOYMENT_VARIABLE: str(file)}, stop_within_s=10)


def service_launch(file: Path, *names: str) -> Launch:
    """How a process of these services is started, for the deployment in ``file``."""
    argv = [sys.executable, "-P", "-m", "bakeoff.bridge.service", *names]
    return Launch(argv=argv, env={DEPLOYMENT_VARIABLE: str(file)}, stop_within_s=10)
