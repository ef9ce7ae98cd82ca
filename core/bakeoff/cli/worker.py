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
    ConfigOption,
    SetOption,
    SetRawOption,
    choose_engines,
    choose_saga,
)
from bakeoff.cli.screen import say, warn
from bakeoff.cli.state import DEFAULT_STATE, Running, StateOption, is_held, read_state
from bakeoff.cli.up import PrefixOption, SagasOption
from bakeoff.deployment import Deployment
from bakeoff.engine import OrchestrationEngine
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher, scratch_folder
from bakeoff.servers import start_server
from bakeoff.settings import ConfigClass
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
    prefix: PrefixOption = "bakeoff-",
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Run worker processes of a deployment in the foreground; one that dies is started again.

    \b
    Example, beside a `bakeoff up`:
        bakeoff worker --engine temporal --processes 2

    \b
    On another machine, for servers and a PostgreSQL that both can reach:
        bakeoff worker --engine temporal --address cluster.example:7233 \\
            --ledger postgresql://bakeoff@database.example/bakeoff
    """
    elsewhere = bool(address or ledger or set_ or set_raw)
    with ExitStack() as cleanup:
        if elsewhere:
            found = _elsewhere(engine, config, set_, set_raw, ledger)
            chosen, url = found
            scratch = cleanup.enter_context(scratch_folder("worker"))
            settings = chosen.settings
            deployment = asyncio.run(_external_deployment(chosen.engine, settings, address or (), url, prefix, saga or ()))
