"""``bakeoff serve``: domain services of a running deployment, each in as many processes as you like."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.bridge.bridges import IN_PROCESS, ROLE, ChosenBridge, choose_bridge
from bakeoff.bridge.commands import services_in
from bakeoff.bridge.staff import relay_launch, service_launch, service_workers, waits_for_events
from bakeoff.cli.screen import say, warn
from bakeoff.cli.state import DEFAULT_STATE, StateOption, is_held, read_state
from bakeoff.credentials import hide_credentials
from bakeoff.deployment import Deployment
from bakeoff.errors import BakeoffError, UnknownNameError, UsageError
from bakeoff.processes import Launcher, Workers, run_interruptibly, scratch_folder
from bakeoff.world import World

_POLL_S = 0.2


def serve(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="SERVICE", help="E.g. PaymentService; all of them if left out."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", "-e", metavar="NAME", help="If several are up.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=64, help="Instances; they share the work.")
    ] = 1,
    bridge: Annotated[
        str | None,
        typer.Option(
            "--bridge",
            metavar="nats|URL",
            help="Which bridge the deployment is to have; refused if it has another.",
        ),
    ] = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Run domain services of the `bakeoff up --bridge nats` that is running here, until Ctrl-C.

    Steps then send their commands to them. Any number of instances may serve the same commands.
    Without a name it also relays events to the sagas that wait for them.

    \b
    Example, three terminals:
        bakeoff up --engine temporal --bridge nats
        bakeoff serve
        bakeoff worker --engine temporal

    \b
    One service apart, twice:
        bakeoff serve PaymentService --bridge nats --processes 2
    """
    wanted = None if bridge is None else choose_bridge(bridge)
    running = read_state(state)
    file = running.deployment_file(engine)
    deployment = running.deployment(engine)
    if deployment.bridge == IN_PROCESS:
        raise UsageError(
            f"{deployment.engine} is up without a bridge: its steps act in the workers; "
            "bring it up with `bakeoff up --bridge nats`"
        )
    if wanted is not None:
        _check_same(wanted, deployment)
    known = services_in(deployment.sagas)
    for name in names or ():
        if name not in known:
            raise UnknownNameError(f"service {name!r} is not known; known: {', '.join(sorted(known))}")
    chosen = list(dict.fromkeys(names or sorted(known)))
    relays = not names and waits_for_events(deployment)
    with scratch_folder("serve") as scratch:
        run_interruptibly(_serve(scratch, file, chosen, processes, relays, state, running.host))


def _check_same(wanted: ChosenBridge, deployment: Deployment) -> None:
    """``UsageError`` if the deployment has another bridge than the user takes it to have."""
    address = deployment.addresses[ROLE]
    same = wanted.name == deployment.bridge and (wanted.url is None or wanted.url == address)
    if not same or (wanted.shared and wanted.shared != deployment.bridge_prefix):
        said = wanted.name if wanted.url is None else hide_credentials(_url_of(wanted))
        raise UsageError(
            f"--bridge {said}: {deployment.engine} is up with another one, {deployment.bridge} at "
            f"{hide_credentials(address)}; leave the option out, or say that one"
        )


def _url_of(bridge: ChosenBridge) -> str:
    return f"{bridge.url}/{bridge.shared}" if bridge.shared else str(bridge.url)


async def _serve(
    scratch: Path, file: Path, names: list[str], processes: int, relays: bool, state: Path, host: str
) -> None:
    world = World.open(Deployment.load(file).world_url)
    with ExitStack() as cleanup:
        cleanup.callback(world.close)
        launcher = cleanup.enter_context(Launcher(scratch / "logs"))
        group = service_workers(launcher, "service", service_launch(file, *names), world)
        relay = service_workers(launcher, "relay", relay_launch(file), world)
        try:
            await group.start(processes)
            if relays:
                await relay.start(1)
            pids = ", ".join(str(child.pid) for child in [*group.children, *relay.children])
            what = ", ".join([*names, *(["events for sagas"] if relays else [])])
            say(f"serving {what} (pid {pids}); logs in {scratch / 'logs'}", style="bold green")
            say("Ctrl-C stops it.")
            await _supervise([group, relay], state, host)
        finally:
            await relay.stop()
            await group.stop()


async def _supervise(groups: Sequence[Workers], state: Path, host: str) -> None:
    told = 0
    while True:
        await asyncio.sleep(_POLL_S)
        for group in groups:
            if group.failure is not None:
                raise group.failure
        if (restarts := sum(group.restarts for group in groups)) > told:
            told = restarts
            warn(f"a service ended and was started again (restart {told})")
        if not is_held(state, host):
            raise BakeoffError("the `bakeoff up` that these services belong to has ended; so do they")
