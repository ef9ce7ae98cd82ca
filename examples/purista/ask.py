"""``python -m examples.purista.ask SERVICE COMMAND PAYLOAD``: one command, and what its service answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bakeoff.bridge import Address
from bakeoff.bridge.bridges import connect_bridge
from bakeoff.cli.state import DEFAULT_STATE, read_state
from bakeoff.deployment import Deployment
from bakeoff.errors import BakeoffError, HandledError
from bakeoff.saga import JSON

_PATIENCE_S = 5.0


def main(arguments: Sequence[str]) -> None:
    """Ask, and print the answer as JSON."""
    parser = argparse.ArgumentParser(prog="python -m examples.purista.ask", description=__doc__)
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("command", metavar="COMMAND")
    parser.add_argument("payload", metavar="PAYLOAD", type=json.loads, help="JSON")
    parser.add_argument("--key", default="", help="idempotency key, of commands that have an effect")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder of `bakeoff up`")
    parser.add_argument("--engine", help="if several are up")
    asked = parser.parse_args(arguments)
    deployment = read_state(asked.state).deployment(asked.engine)
    address = Address(service=asked.service, command=asked.command)
    print(json.dumps(asyncio.run(_ask(deployment, address, asked.payload, asked.key)), indent=2))


async def _ask(deployment: Deployment, address: Address, payload: JSON, key: str) -> JSON:
    bridge = await connect_bridge(deployment, sender="Asker")
    try:
        return await bridge.invoke(address, payload, {"key": key} if key else {}, timeout_s=_PATIENCE_S)
    finally:
        await bridge.close()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except HandledError as error:
        sys.exit(f"declined ({error.status}): {error} {json.dumps(error.data)}")
    except BakeoffError as error:
        sys.exit(f"error: {error}")
