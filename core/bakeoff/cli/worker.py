"""``bakeoff worker``: supervised worker processes in the foreground, here or on another machine."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.elsewhere import deployment_elsewhere, refuse_in_process
from bakeoff.cli.options import OtlpOption, SetOption, SetRawOption, choose_engines, choose_receiver
from bakeoff.cli.screen import say, warn
from bakeoff.cli.state import DEFAULT_STATE, Running, StateOption, is_held, read_state
from bakeoff.cli.up import PrefixOption, SagasOption
from bakeoff.deployment import Deployment
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher, Workers, run_interruptibly, scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff.sharing import check_slots, slots_of_process
from bakeoff.stack import workers_of
from bakeoff.world import World

_POLL_S = 0.2


def worker(
    engine: Annotated[
        str | None, typer.Option("--engine", "-e", metavar="NAME", help="Engine; implied if only one is up.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", "-n", min=1, max=256, help="Workers to keep running.")
    ] = 1,
    slots: Annotated[
        int | None,
        typer.Option("--slots", min=1, max=1024, help="Steps that one worker runs at once."),
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
    config: Annotated[
        ConfigClass | None,
        typer.Option("--config", help="Elsewhere: the class of settings that `bakeoff up` runs with."),
    ] = None,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    prefix: PrefixOption = None,
    otlp: OtlpOption = None,
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
    away = [address, ledger, saga, config, set_, set_raw, prefix]
    running = None
    if any(option is not None and option != [] for option in away):
        deployment = deployment_elsewhere(
            engine,
            config=config or ConfigClass.RECOMMENDED,
            sets=set_,
            raws=set_raw,
            addresses=address or (),
            ledger=ledger or os.environ.get("BAKEOFF_LEDGER"),
            sagas=saga or (),
            prefix=prefix,
            otlp=choose_receiver(otlp),
        )
        slots = slots or deployment.slots
    else:
        if engine:
            refuse_in_process(choose_engines([engine])[0])
        running = read_state(state)
        deployment = running.deployment(engine)
        _check_reachable(running, deployment)
        if (receiver := choose_receiver(otlp)) is not None and deployment.otlp is not None:
            deployment = replace(deployment, otlp=replace(deployment.otlp, url=receiver))
    if slots:
        deployment = _with_slots(deployment, slots)
    with scratch_folder("worker") as scratch:
        file = scratch / "deployment.json"
        deployment.save(file)
        run_interruptibly(_work(deployment, file, processes, state if running else None, running))


def _with_slots(deployment: Deployment, slots: int) -> Deployment:
    """The deployment with so many slots per worker; ``UsageError`` if its processes cannot share them."""
    name, settings = deployment.engine, deployment.settings
    check_slots(name, Plugins().engine(name).info(settings).settings, settings, slots)
    return replace(deployment, slots=slots_of_process(name, settings, slots))


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
            count = len(workers.children)
            many = "1 worker process is" if count == 1 else f"{count} worker processes are"
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
