"""``bakeoff worker``: supervised worker processes in the foreground, here or on another machine."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.options import (
    BUILT_IN_SAGAS,
    ChosenEngine,
    ConfigOption,
    SetOption,
    SetRawOption,
    check_ledger,
    choose_engines,
    choose_saga,
)
from bakeoff.cli.screen import say, warn
from bakeoff.cli.state import DEFAULT_STATE, Running, StateOption, is_held, read_state
from bakeoff.cli.up import PrefixOption, SagasOption, check_prefix
from bakeoff.deployment import Deployment
from bakeoff.engine import OrchestrationEngine
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher, Workers, scratch_folder
from bakeoff.servers import Server, start_server
from bakeoff.settings import ConfigClass, SettingsInForce
from bakeoff.stack import workers_of
from bakeoff.world import World

_POLL_S = 0.2


def worker(
    engine: Annotated[
        str | None, typer.Option("--engine", "-e", metavar="NAME", help="Engine; implied if only one is up.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", "-n", min=1, max=256, help="Worker processes to keep running.")
    ] = 1,
    slots: Annotated[
        int | None,
        typer.Option("--slots", min=1, max=1024, help="Steps that one worker process runs at once."),
    ] = None,
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            metavar="[ROLE=]ADDRESS",
            help="Elsewhere: a server of the deployment, e.g. broker=redis://host:6379/0.",
        ),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            metavar="URL",
            help="Elsewhere: the PostgreSQL of the deployment. [env var: BAKEOFF_LEDGER]",
        ),
    ] = None,
    saga: SagasOption = None,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    prefix: PrefixOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Run worker processes of a deployment.

    In the foreground, until Ctrl-C; one that dies is started again.

    \b
    Example, beside a `bakeoff up`:
        bakeoff worker --engine temporal --processes 2

    \b
    On another machine, with servers and a PostgreSQL that both can reach (`up` prints the line):
        bakeoff worker --engine temporal --prefix bakeoff-3f9a1c- \\
            --address cluster.example:7233 \\
            --ledger postgresql://bakeoff@database.example/bakeoff
    """
    with ExitStack() as cleanup:
        running = None
        if address or ledger or set_ or set_raw:
            if not engine:
                raise UsageError("say which engine the worker is for, e.g. --engine temporal")
            chosen = choose_engines([engine], config=config, sets=set_, raws=set_raw)[0]
            _refuse_in_process(chosen.engine, chosen.settings)
            if prefix is None:
                raise UsageError("a worker away from `bakeoff up` needs the --prefix that it printed")
            database = _ledger_elsewhere(ledger or os.environ.get("BAKEOFF_LEDGER"))
            sagas = dict.fromkeys(
                [BUILT_IN_SAGAS, *(ref for text in saga or () for ref in choose_saga(text)[1])]
            )
            deployment = Deployment(
                engine=engine,
                settings=chosen.settings,
                addresses=_addresses(chosen, address or ()),
                world_url=database,
                prefix=check_prefix(prefix),
                sagas=tuple(sagas),
            )
            deployment = replace(deployment, external=tuple(deployment.addresses))
        else:
            _refuse_in_process_name(engine)
            running = read_state(state)
            deployment = running.deployment(engine)
            _check_reachable(running, deployment)
        if slots:
            deployment = replace(deployment, slots=slots)
        scratch = cleanup.enter_context(scratch_folder("worker"))
        file = scratch / "deployment.json"
        deployment.save(file)
        asyncio.run(_work(deployment, file, processes, state if running else None, running))


def _refuse_in_process_name(engine: str | None) -> None:
    if engine:
        chosen = choose_engines([engine])[0]
        _refuse_in_process(chosen.engine, chosen.settings)


def _refuse_in_process(engine: OrchestrationEngine, settings: SettingsInForce) -> None:
    if engine.info(settings).in_process:
        raise UsageError(
            f"{engine.name} has no workers: its sagas run inside the process that starts them "
            f"(`bakeoff run --engine {engine.name}`)"
        )


def _ledger_elsewhere(url: str | None) -> str:
    """The database that this machine and the deployment's share."""
    if not url:
        raise UsageError(
            "a worker away from `bakeoff up` needs its ledger: --ledger postgresql://user@host/database"
        )
    if url == "sqlite" or url.startswith("sqlite"):
        raise UsageError(
            "a worker on another machine cannot share a SQLite file; bring the deployment up with "
            "--ledger postgresql://... and give the same URL here"
        )
    if url == "postgres":
        raise UsageError("--ledger postgres starts a database of its own; give the URL of the deployment's")
    check_ledger(url)
    World.open(url).close()
    return url


def _addresses(chosen: ChosenEngine, given: Sequence[str]) -> dict[str, str]:
    """``{role: address}`` of the servers, all of which must answer."""
    servers = {server.role: server for server in chosen.engine.servers(chosen.settings)}
    for text in given:
        role, equals, value = text.partition("=")
        if not equals and len(servers) == 1:
            role, value = next(iter(servers)), text
        if role not in servers:
            raise UsageError(f"--address {text}: write ROLE=ADDRESS; {chosen.name} has {', '.join(servers)}")
        servers[role].external_address = value
    for role, server in servers.items():
        if server.external_address is None:
            raise UsageError(f"{chosen.name} needs its {role} server: --address {role}=ADDRESS")
    return asyncio.run(_probe(list(servers.values())))


async def _probe(servers: Sequence[Server]) -> dict[str, str]:
    with ExitStack() as cleanup:
        scratch = cleanup.enter_context(scratch_folder("probe"))
        launcher = cleanup.enter_context(Launcher(scratch))
        return {server.role: (await start_server(server, launcher, scratch)).address for server in servers}


def _check_reachable(running: Running, deployment: Deployment) -> None:
    if running.host != socket.gethostname() and deployment.world_url.startswith("sqlite"):
        raise UsageError(
            f"this deployment runs on {running.host} with a SQLite ledger, which workers on other machines "
            "cannot share; bring it up with --ledger postgresql://..."
        )


async def _work(
    deployment: Deployment, file: Path, processes: int, state: Path | None, running: Running | None
) -> None:
    engine = Plugins().engine(deployment.engine)
    world = World.open(deployment.world_url)
    with ExitStack() as cleanup:
        cleanup.callback(world.close)
        launcher = cleanup.enter_context(Launcher(file.parent / "logs"))
        workers = workers_of(launcher, engine, file, world)
        try:
            await workers.start(processes)
            pids = ", ".join(str(child.pid) for child in workers.children)
            many = "1 worker process is" if processes == 1 else f"{processes} worker processes are"
            say(
                f"{engine.name}: {many} ready (pid {pids}); logs in {file.parent / 'logs'}",
                style="bold green",
            )
            say("Ctrl-C stops them.")
            await _supervise(workers, state, running)
        finally:
            await workers.stop()


async def _supervise(workers: Workers, state: Path | None, running: Running | None) -> None:
    told = 0
    while True:
        await asyncio.sleep(_POLL_S)
        if workers.failure is not None:
            raise workers.failure
        if workers.restarts > told:
            told = workers.restarts
            warn(f"a worker ended and was started again (restart {told})")
        if state is not None and running is not None and not is_held(state, running.host):
            raise BakeoffError("the `bakeoff up` that these workers belong to has ended; so do they")
