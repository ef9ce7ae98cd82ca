"""An order on its way from a Locust master to its workers, which may be on other machines."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bakeoff.processes import scratch_folder
from bakeoff_bench.load.order import LoadOrder

#: Messages of ours between a master and its workers: the order; a load began; a part of a file; it is over.
ORDER, BEGAN, PART, DONE = "bakeoff-order", "bakeoff-began", "bakeoff-part", "bakeoff-done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one generator does of a load.

    Attributes:
        order: The load.
        number, of: Which share of how many.
    """

    order: LoadOrder
    number: int = 0
    of: int = 1


def to_send(order: LoadOrder, number: int, of: int) -> dict[str, Any]:
    """What worker ``number`` gets: its share, and the deployment itself, for it may not see our files."""
    users = order.users // of + (number < order.users % of)
    return {
        "order": {**order.to_json(), "users": users},
        "deployment": Path(order.deployment).read_text(),
        "number": number,
        "of": of,
    }


def received(data: dict[str, Any], folders: ExitStack) -> Share:
    """The share as this worker can carry it out, in a folder of its own.

    Args:
        data: What was sent.
        folders: Removes the folder when it is closed; the deployment in it may hold credentials.
    """
    folder = folders.enter_context(scratch_folder("generator"))
    deployment = folder / "deployment.json"
    deployment.touch(mode=0o600)
    deployment.write_text(data["deployment"])
    order = replace(LoadOrder(**data["order"]), deployment=str(deployment), folder=str(folder))
    return Share(order=order, number=data["number"], of=data["of"])
