"""One engine brought up whole: servers, world, workers, client; and taken down again."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge, bridge_prefix, bridge_server, forget_events
from bakeoff.bridge.staff import running_relay, running_services
from bakeoff.deployment import DEPLOYMENT_VARIABLE, Deployment
from bakeoff.engine import EngineClient, EngineInfo, OrchestrationEngine
from bakeoff.errors import ServerStartError
from bakeoff.patience import connected, disconnect
from bakeoff.processes import Launch, Launcher, Workers, pinned
from bakeoff.proxy import Proxy, start_proxy
from bakeoff.registry import load_sagas
from bakeoff.saga import Saga
from bakeoff.scheduler import Scheduler, running_scheduler
from bakeoff.servers import PostgresServer, RunningServer, start_server
from bakeoff.settings import SettingsInForce
from bakeoff.sharing import check_slots, processes_of_worker, slots_of_process
from bakeoff.telemetry import Otlp
from bakeoff.world import Profile, World
from bakeoff.world.database import file_url
from bakeoff.world.world import Participants


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """What is to be brought up.

    Attributes:
        engine: The engine.
        settings: In force.
        folder: Data, logs and the deployment file go here.
        sagas: References that workers load.
        profile: Faults of the domain.
        participants: ``idempotent`` or ``naive``.
        workers: Workers (none for an in-process engine).
        slots: Steps that one worker runs at once; its processes share them (``bakeoff.sharing``).
        ledger: ``sqlite``, ``postgres`` (started for you) or a database URL.
        prefix: Of all names on servers that we did not start.
        faults: Whether points of its sagas may be armed (``bakeoff.world.points``).
        proxied: Whether workers reach the servers that we start through a TCP proxy; clients never do.
        bridge: Between steps and services.
        staffed: Whether the services behind a bridge are started.
        otlp: Receiver of spans (``--otlp``); ``None``: nothing is traced.
        cpus: Servers and workers run on these only, also those that are started again (and the proxy);
            ``None``: wherever the system puts them. An in-process engine runs where its client does.
    """

    engine: OrchestrationEngine
    settings: SettingsInForce
    folder: Path
    sagas: tuple[str, ...] = ("bakeoff.orders",)
    profile: Profile = field(default_factory=Profile)
    participants: Participants = "idempotent"
    workers: int = 1
    slots: int = 4
    ledger: str = "sqlite"
    prefix: str = "bakeoff-"
    faults: bool = False
    proxied: bool = False
    bridge: ChosenBridge = NO_BRIDGE
    staffed: bool = True
    otlp: str | None = None
    cpus: frozenset[int] | None = None


@dataclass(slots=True, kw_only=True)
class Backend:
    """What workers and clients of one engine stand on: its servers and its world.

    Attributes:
        deployment, deployment_file: As clients need them.
        worker_file: The deployment as workers need it; the same file unless there is a proxy.
        proxy: Between workers and servers.
        services: Behind a bridge: ``{service: its processes}``.
        scheduler: That starts sagas by schedule, where that is a process of its own.
    """

    engine: OrchestrationEngine
    info: EngineInfo
    deployment: Deployment
    deployment_file: Path
    servers: Sequence[RunningServer]
    world: World
    launcher: Launcher
    proxy: Proxy | None = None
    worker_file: Path | None = None
    services: Mapping[str, Workers] = field(default_factory=dict)
    scheduler: Scheduler | None = None

    def versions(self) -> dict[str, str]:
        """``{component: version}`` of SDKs and servers."""
        return {
            **self.info.versions,
            **{f"{s.server.kind} ({s.server.role})": s.version for s in self.servers},
        }


@dataclass(slots=True, kw_only=True)
class Stack(Backend):
    """A running engine.

    Attributes:
        workers: ``None`` for an in-process engine.
        relay: Of events to its sagas, where it is a process.
    """

    workers: Workers | None
    client: EngineClient
    sagas: Mapping[str, Saga]
    relay: Workers | None = None

    @property
    def groups(self) -> list[Workers]:
        """Everything that is supervised: workers, services, relay."""
        return [one for one in (self.workers, *self.services.values(), self.relay) if one is not None]

    @property
    def failure(self) -> ServerStartError | None:
        """Why nothing will happen any more, where a supervisor has given its processes up."""
        failures = [one.failure for one in self.groups]
        if self.scheduler is not None:
            failures.append(self.scheduler.failure)
        return next((failure for failure in failures if failure is not None), None)


@asynccontextmanager
async def running_backend(plan: StackPlan) -> AsyncIterator[Backend]:
    """Bring up what workers and clients stand on, and take it down, whatever happens in between.

    Raises:
        UsageError: For something that the user can put right.
        ServerStartError: If a server did not come up; nothing is left behind.
    """
    with pinned(plan.cpus):
        pass  # refused before anything is there
    check_slots(plan.engine.name, plan.engine.info(plan.settings).settings, plan.settings, plan.slots)
    plan.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as cleanup:
        launcher = cleanup.enter_context(Launcher(plan.folder / "logs", plan.cpus))
        servers = [
            await start_server(server, launcher, plan.folder) for server in plan.engine.servers(plan.settings)
        ]
        if (between := bridge_server(plan.bridge)) is not None:
            servers.append(await start_server(between, launcher, plan.folder))
        external = tuple(s.server.role for s in servers if s.child is None)
        # The services' database stays out of it: engines would be blamed for our ledger.
        proxy = await start_proxy(servers, launcher, plan.folder) if plan.proxied else None
        world_url = await _world_url(plan, launcher, servers)
        world = World.create(
            world_url, profile=plan.profile, participants=plan.participants, faults=plan.faults
        )
        cleanup.callback(world.close)
        deployment = Deployment(
            engine=plan.engine.name,
            settings=plan.settings,
            addresses={s.server.role: s.address for s in servers},
            world_url=world_url,
            prefix=plan.prefix if external else "",
            sagas=plan.sagas,
            slots=slots_of_process(plan.engine.name, plan.settings, plan.slots),
            external=external,
            bridge=plan.bridge.name,
            bridge_prefix=bridge_prefix(plan.bridge, plan.prefix),
            pages={title: url for s in servers for title, url in s.pages.items()},
            otlp=_otlp(plan, external),
            folder=str(plan.folder.resolve()),
        )
        file = plan.folder / "deployment.json"
        deployment.save(file)
        worker_file = file
        if proxy is not None:
            worker_file = plan.folder / "deployment-of-workers.json"
            replace(deployment, addresses=proxy.addresses(deployment.addresses)).save(worker_file)
        async with contextlib.AsyncExitStack() as staff:
            if plan.bridge.url is not None and not plan.bridge.shared:
                staff.push_async_callback(forget_events, deployment)
            services: Mapping[str, Workers] = {}
            if plan.staffed:
                services = await staff.enter_async_context(
                    running_services(deployment, file, launcher, world)
                )
            scheduler = await staff.enter_async_context(
                running_scheduler(plan.engine, deployment, file, launcher, world)
            )
            yield Backend(
                engine=plan.engine,
                info=plan.engine.info(plan.settings),
                deployment=deployment,
                deployment_file=file,
                servers=servers,
                world=world,
                launcher=launcher,
                proxy=proxy,
                worker_file=worker_file,
                services=services,
                scheduler=scheduler,
            )


@asynccontextmanager
async def running_stack(plan: StackPlan) -> AsyncIterator[Stack]:
    """Bring one engine up whole: ``running_backend``, workers and a client.

    Raises:
        UsageError: For something that the user can put right.
        ServerStartError: If a server or worker did not come up; nothing is left behind.
    """
    async with running_backend(plan) as backend, contextlib.AsyncExitStack() as stack:
        workers = None
        if not backend.info.in_process:
            file = backend.worker_file or backend.deployment_file
            workers = workers_of(backend.launcher, backend.engine, file, backend.world)
            stack.push_async_callback(workers.stop)
            if not backend.deployment.external and plan.ledger == "sqlite" and plan.otlp is None:
                # What workers and servers would put in order goes with their folder; spans do not.
                stack.callback(backend.launcher.hurry)
            # A worker may start a process per slot, and announces itself when all of them are there.
            await workers.start(plan.workers, ready_within_s=30.0 + plan.slots)
        client = await connected(plan.engine, backend.deployment)
        stack.push_async_callback(disconnect, plan.engine, client)
        relay = await stack.enter_async_context(
            running_relay(
                backend.deployment,
                backend.deployment_file,
                backend.launcher,
                backend.world,
                client,
                here=backend.info.in_process,
            )
        )
        yield Stack(
            engine=backend.engine,
            info=backend.info,
            deployment=backend.deployment,
            deployment_file=backend.deployment_file,
            servers=backend.servers,
            world=backend.world,
            launcher=backend.launcher,
            proxy=backend.proxy,
            worker_file=backend.worker_file,
            services=backend.services,
            scheduler=backend.scheduler,
            workers=workers,
            client=client,
            sagas=load_sagas(plan.sagas),
            relay=relay,
        )


def workers_of(launcher: Launcher, engine: OrchestrationEngine, file: Path, world: World) -> Workers:
    """The supervised workers of the deployment in ``file``; none is started yet."""
    host, deployment = socket.gethostname(), Deployment.load(file)
    return Workers(
        launcher,
        "worker",
        worker_launch(engine, deployment, file),
        # Workers on other machines report to the same world; their numbers mean nothing here.
        lambda: [seen.pid for seen in world.workers() if seen.host == host],
        processes_of_worker(deployment.settings),
    )


def worker_launch(engine: OrchestrationEngine, deployment: Deployment, file: Path) -> Launch:
    """How one worker process of this deployment is started."""
    return Launch(
        argv=engine.worker_command(deployment), env={DEPLOYMENT_VARIABLE: str(file)}, stop_within_s=10
    )


def _otlp(plan: StackPlan, external: Sequence[str]) -> Otlp | None:
    """Where spans go. A prefix is all that a worker on another machine knows of the deployment."""
    if plan.otlp is None:
        return None
    return Otlp(url=plan.otlp, seed=plan.prefix if external else secrets.token_hex(8))


async def _world_url(plan: StackPlan, launcher: Launcher, servers: list[RunningServer]) -> str:
    if plan.ledger == "sqlite":
        return file_url(plan.folder.resolve() / "world.db")
    if plan.ledger == "postgres":
        server = await start_server(PostgresServer(), launcher, plan.folder)
        servers.append(server)
        return server.address
    return plan.ledger
