"""``bakeoff up``: servers and a world with demonstration orders, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.bridge.awaited import events_of_nobody
from bakeoff.bridge.bridges import IN_PROCESS, ROLE, choose_bridge
from bakeoff.cli import demo
from bakeoff.cli.options import (
    BUILT_IN_SAGAS,
    BridgeOption,
    ConfigOption,
    EngineOption,
    LedgerOption,
    OtlpOption,
    SetOption,
    SetRawOption,
    SlotsOption,
    check_ledger,
    check_ledger_is_empty,
    check_slots_of,
    choose_engines,
    choose_receiver,
    choose_saga,
)
from bakeoff.cli.sagas import takes_an_order
from bakeoff.cli.screen import say, warn
from bakeoff.cli.state import DEFAULT_STATE, Running, StateOption, held_state, write_state
from bakeoff.credentials import HIDDEN, hide_credentials
from bakeoff.engine import Capability, Support
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly, scratch_folder
from bakeoff.scheduler import forget_schedules
from bakeoff.settings import ConfigClass
from bakeoff.stack import Backend, StackPlan, running_backend
from bakeoff.tuned import spelled_out

_POLL_S = 0.2

#: What every engine and broker accepts inside its own names.
_PREFIX = re.compile(r"^[A-Za-z][A-Za-z0-9._-]{0,39}$")

PrefixOption = Annotated[
    str | None,
    typer.Option(
        "--prefix",
        metavar="TEXT",
        help="Of every name on servers of your own; `bakeoff up` makes a new one if left out.",
    ),
]
SagasOption = Annotated[
    list[str] | None,
    typer.Option("--saga", metavar="REFERENCE", help="Your own saga as package.module:attribute; repeat."),
]


def up(
    engine: EngineOption = None,
    saga: SagasOption = None,
    config: ConfigOption = ConfigClass.RECOMMENDED,
    set_: SetOption = None,
    set_raw: SetRawOption = None,
    ledger: LedgerOption = "sqlite",
    bridge: BridgeOption = IN_PROCESS,
    otlp: OtlpOption = None,
    slots: SlotsOption = 4,
    prefix: PrefixOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Bring an engine's servers up, until Ctrl-C.

    With a world of demonstration orders to start sagas for.

    Runs in the foreground and leaves nothing behind. The other commands find it by the state folder.

    \b
    Example, three terminals:
        bakeoff up --engine temporal
        bakeoff worker --engine temporal
        bakeoff start order order-123 --wait

    \b
    With a server of your own nothing is started there, and every name is prefixed:
        temporal server start-dev
        bakeoff up --engine temporal --set temporal.address=127.0.0.1:7233
    """
    if not engine:
        installed = ", ".join(Plugins().engine_names())
        raise UsageError(f"say which engine to bring up, e.g. --engine temporal; installed: {installed}")
    chosen = choose_engines(engine, config=config, sets=set_, raws=set_raw)
    if "all" in engine:
        chosen = [one for one in chosen if not one.engine.info(one.settings).in_process]
    for one in chosen:
        if one.engine.info(one.settings).in_process:
            raise UsageError(
                f"{one.name} has no servers to bring up: its sagas run inside the process that starts them "
                f"(`bakeoff run --engine {one.name}`)"
            )
    check_slots_of(chosen, slots)
    if len(chosen) > 1 and ledger not in ("sqlite", "postgres"):
        raise UsageError(
            "--ledger URL: every engine needs an empty database of its own; bring them up one by one"
        )
    check_ledger(ledger)
    check_ledger_is_empty(ledger)
    between = choose_bridge(bridge)
    receiver = choose_receiver(otlp)
    own = check_prefix(f"bakeoff-{secrets.token_hex(3)}-" if prefix is None else prefix)
    named = [choose_saga(text) for text in saga or ()]
    sagas = dict.fromkeys([BUILT_IN_SAGAS, *(ref for _, references in named for ref in references)])
    asked = [one.name for one, _ in named if not takes_an_order(one)]
    if between.name != IN_PROCESS:
        for line in events_of_nobody(sagas):
            warn(line)
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(held_state(state))
        scratch = cleanup.enter_context(scratch_folder("up"))
        plans = [
            StackPlan(
                engine=one.engine,
                settings=one.settings,
                folder=scratch / one.name,
                sagas=tuple(sagas),
                slots=slots,
                ledger=ledger,
                bridge=between,
                otlp=receiver,
                staffed=False,
                # New each time, so that what an earlier deployment left on a broker is not ours to take.
                prefix=own,
            )
            for one in chosen
        ]
        run_interruptibly(_stay_up(plans, asked, folder))


async def _stay_up(plans: Sequence[StackPlan], asked: Sequence[str], folder: Path) -> None:
    async with AsyncExitStack() as cleanup:
        backends = [await cleanup.enter_async_context(running_backend(plan)) for plan in plans]
        orders: dict[str, str] = {}
        for backend in backends:
            if backend.deployment.external and _schedules(backend):
                cleanup.push_async_callback(_forget_schedules, backend)
            orders = demo.fill(backend.world)
            _introduce(backend)
        pages = {backend.engine.name: _pages(backend) for backend in backends}
        write_state(
            folder,
            Running(
                pid=os.getpid(),
                host=socket.gethostname(),
                deployments={b.engine.name: str(b.deployment_file.resolve()) for b in backends},
                pages=pages,
            ),
        )
        _teach(backends, orders, asked, folder)
        try:
            while True:
                await asyncio.sleep(_POLL_S)
                for backend in backends:
                    _check_alive(backend)
        except asyncio.CancelledError:
            say("stopping ...")
            raise


def _schedules(backend: Backend) -> bool:
    return backend.info.claims[Capability.SCHEDULES].support is not Support.ABSENT


async def _forget_schedules(backend: Backend) -> None:
    try:
        await forget_schedules(backend.engine, backend.deployment)
    except BakeoffError as error:
        warn(f"schedules may be left on your server, under the prefix {backend.deployment.prefix}: {error}")


def check_prefix(prefix: str) -> str:
    """Return ``--prefix`` if names may begin so; ``UsageError`` if not."""
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(f"--prefix {prefix!r}: up to 40 letters, digits, '.', '_', '-', a letter first")
    return prefix


def _pages(backend: Backend) -> dict[str, str]:
    return {title: url for server in backend.servers for title, url in server.pages.items()}


def _introduce(backend: Backend) -> None:
    name = backend.engine.name
    note = f" ({backend.info.note})" if backend.info.note else ""
    say(f"{name} is up{note}", style="bold green")
    rows = [
        (
            s.server.role,
            hide_credentials(s.address),
            f"{s.server.kind} {s.version}" + ("" if s.child else ", yours"),
        )
        for s in backend.servers
        if s.server.role != "ledger"
    ]
    rows.append(("ledger", hide_credentials(backend.deployment.world_url), ""))
    rows += [(title, url, "web page") for title, url in _pages(backend).items()]
    if backend.deployment.prefix:
        rows.append(("prefix", backend.deployment.prefix, "of every name on your server"))
    if backend.deployment.otlp is not None:
        rows.append(("traces", backend.deployment.otlp.url, "OTLP"))
    rows.append(("logs", str(backend.deployment_file.parent / "logs"), ""))
    for title, value, remark in rows:
        say(f"  {title:12} {value}" + (f"   ({remark})" if remark else ""))


def _teach(backends: Sequence[Backend], orders: dict[str, str], asked: Sequence[str], folder: Path) -> None:
    say("Orders to start:")
    for order_id, fate in orders.items():
        say(f"  {order_id}  {fate}")
    where = "" if folder == DEFAULT_STATE else f" --state {folder}"
    which = f" --engine {backends[0].engine.name}" if len(backends) > 1 else ""
    say("In other terminals:")
    for backend in backends:
        if backend.deployment.bridge != IN_PROCESS:
            say(f"  bakeoff serve{which}{where}")
        say(f"  bakeoff worker --engine {backend.engine.name}{where}")
        _teach_elsewhere(backend)
    say(f"  bakeoff start order order-123 --wait{which}{where}")
    for saga in asked:
        say(f"  bakeoff start {saga} 1 --wait{which}{where}")
    say("Ctrl-C stops everything.")


def _teach_elsewhere(backend: Backend) -> None:
    """How a worker on another machine joins, where servers and ledger can be reached from there."""
    deployment = backend.deployment
    theirs = set(deployment.external) - {ROLE}
    alone = not theirs or backend.world.engine.url.get_backend_name() == "sqlite"
    if alone or deployment.bridge != IN_PROCESS:
        return
    settings = deployment.settings
    words = ["bakeoff worker", f"--engine {deployment.engine}", f"--prefix {deployment.prefix}"]
    config_class, found = spelled_out(backend.engine.info().settings, settings)
    if config_class is not ConfigClass.RECOMMENDED:
        words.append(f"--config {config_class}")
    words += [f"--set {deployment.engine}.{name}={value}" for name, value in found.items()]
    words += [f"--saga {reference}" for reference in deployment.sagas if reference != BUILT_IN_SAGAS]
    for name in settings.changed:
        value = str(settings[name])
        shown = HIDDEN if name in settings.secrets and "://" not in value else hide_credentials(value)
        words.append(f"--set {deployment.engine}.{name}={shown}")
    words += [f"--set-raw {deployment.engine}.{key}={value}" for key, value in settings.shown_raw().items()]
    if deployment.otlp is not None:
        words.append(f"--otlp {deployment.otlp.url}")
    words.append(f"--ledger {hide_credentials(deployment.world_url)}")
    say(f"  {' '.join(words)}   (elsewhere)")


def _check_alive(backend: Backend) -> None:
    if backend.scheduler is not None and backend.scheduler.failure is not None:
        raise backend.scheduler.failure
    for server in backend.servers:
        if server.child is not None and not server.child.alive:
            say(server.child.log_tail())
            raise BakeoffError(
                f"{server.server.kind} of {backend.engine.name} ended by itself (exit code "
                f"{server.child.popen.returncode}; its log is above); everything is stopped"
            )
