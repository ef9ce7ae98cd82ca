"""``python -m examples.purista.serve [SERVICE...]``: PURISTA services for a running ``bakeoff up``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bakeoff.bridge.bridges import IN_PROCESS, PREFIX, ROLE
from bakeoff.cli.interrupts import Interrupts
from bakeoff.cli.screen import complain, say
from bakeoff.cli.state import DEFAULT_STATE, is_held, read_state
from bakeoff.errors import BakeoffError, ServerStartError, UsageError
from bakeoff.processes import Child, Launch, Launcher, run_interruptibly, scratch_folder
from examples.purista.node import HERE, Node, find_node, install_packages

_READY = '{"ready":true'
_READY_WITHIN_S = 60.0
_POLL_S = 0.1


def services_launch(node: Node, server: str, ledger: Path, *arguments: str, prefix: str = PREFIX) -> Launch:
    """How a process of these services is started; ``arguments``: of ``src/main.js``, all services without."""
    argv = [
        *(node.binary, "--disable-warning=ExperimentalWarning", str(HERE / "src" / "main.js")),
        *("--ledger", str(ledger), "--prefix", prefix, *arguments),
    ]
    # An address may hold a password, and argv is for everybody to read.
    return Launch(argv=argv, env={"NATS_URL": server}, stop_within_s=10)


async def until_ready(child: Child) -> list[str]:
    """Wait until the process serves; the names of its services.

    Raises:
        ServerStartError: If it ends or does not come so far.
    """
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        lines = child.log.read_text().splitlines()
        if ready := [line for line in lines if line.startswith(_READY)]:
            return list(json.loads(ready[0])["services"])
        if not child.alive or time.monotonic() > deadline:
            raise ServerStartError(f"{child.name} does not serve:\n{child.log_tail()}")
        await asyncio.sleep(_POLL_S)


def main(arguments: Sequence[str]) -> None:
    """Serve until Ctrl-C, or until the ``bakeoff up`` ends."""
    parser = argparse.ArgumentParser(prog="python -m examples.purista.serve", description=__doc__)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="all of them if left out")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder of `bakeoff up`")
    parser.add_argument("--engine", help="if several are up")
    asked = parser.parse_args(arguments)
    running = read_state(asked.state)
    deployment = running.deployment(asked.engine)
    if deployment.bridge == IN_PROCESS:
        raise UsageError("it is up without a bridge; bring it up with `bakeoff up --bridge nats`")
    node = find_node()
    install_packages(node)
    launch = services_launch(
        node,
        deployment.addresses[ROLE],
        # Beside the deployment: keys of its sagas mean nothing to the next one.
        Path(deployment.folder) / "purista.db",
        "--demo",
        *asked.services,
        prefix=deployment.bridge_prefix,
    )
    with scratch_folder("purista") as scratch:
        run_interruptibly(_serve(launch, scratch, asked.state, running.host))


async def _serve(launch: Launch, scratch: Path, state: Path, host: str) -> None:
    with Launcher(scratch / "logs") as launcher:
        child = launcher.start("purista", launch)
        names = await until_ready(child)
        say(f"serving {', '.join(names)} (pid {child.pid}); log: {child.log}", style="bold green")
        say("Ctrl-C stops it.")
        while child.alive:
            if not is_held(state, host):
                raise BakeoffError("the `bakeoff up` that these services belong to has ended; so do they")
            await asyncio.sleep(_POLL_S)
        raise BakeoffError(f"the services ended by themselves:\n{child.log_tail()}")


if __name__ == "__main__":
    interrupts = Interrupts(last=True)
    try:
        with interrupts:
            main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(interrupts.exit_code)
    except BakeoffError as error:
        complain(str(error))
        sys.exit(1)
