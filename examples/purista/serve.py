"""``python -m examples.purista.serve [SERVICE...]``: PURISTA services for a running ``bakeoff up``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bakeoff.bridge.bridges import IN_PROCESS, ROLE
from bakeoff.bridge.nats import PREFIX
from bakeoff.cli.state import DEFAULT_STATE, read_state
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.processes import Launch
from examples.purista.node import HERE, Node, find_node, install_packages


def services_launch(node: Node, server: str, ledger: Path, *arguments: str, prefix: str = PREFIX) -> Launch:
    """How a process of these services is started; ``arguments``: of ``src/main.js``, all services without."""
    argv = [
        *(node.binary, "--disable-warning=ExperimentalWarning", str(HERE / "src" / "main.js")),
        *("--ledger", str(ledger), "--prefix", prefix, *arguments),
    ]
    # An address may hold a password, and argv is for everybody to read.
    return Launch(argv=argv, env={"NATS_URL": server}, stop_within_s=10)


def main(arguments: Sequence[str]) -> None:
    """Become the process of the services."""
    parser = argparse.ArgumentParser(prog="python -m examples.purista.serve", description=__doc__)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="all of them if left out")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder of `bakeoff up`")
    parser.add_argument("--engine", help="if several are up")
    asked = parser.parse_args(arguments)
    deployment = read_state(asked.state).deployment(asked.engine)
    if deployment.bridge == IN_PROCESS:
        raise UsageError("it is up without a bridge; bring it up with `bakeoff up --bridge nats`")
    node = find_node()
    install_packages(node)
    # Beside the deployment: keys of its sagas mean nothing to the next one.
    ledger = Path(deployment.folder) / "purista.db"
    prefix = f"{deployment.prefix}{PREFIX}"
    launch = services_launch(
        node, deployment.addresses[ROLE], ledger, "--demo", *asked.services, prefix=prefix
    )
    os.execve(launch.argv[0], list(launch.argv), {**os.environ, **launch.env})


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BakeoffError as error:
        sys.exit(f"error: {error}")
