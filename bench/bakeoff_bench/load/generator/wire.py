"""An order on its way from a Locust master to its workers, which may be on other machines."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bakeoff.processes import scratch_folder
from bakeoff_bench.load.order import LoadOrder

#: Folders of loads whose master is on another machine; a deployment in them may hold credentials.
_FOLDERS = ExitStack()
atexit.register(_FOLDERS.close)


def to_send(order: LoadOrder, number: int, of: int) -> dict[str, Any]:
    """What worker ``number`` gets: its share, and the deployment itself, for it may not see our files."""
    return {
        "order": order.to_json(),
        "deployment": Path(order.deployment).read_text(),
        "number": number,
        "of": of,
    }


def received(data: dict[str, Any]) -> LoadOrder:
    """The order as this worker can carry it out."""
    order = LoadOrder(**data["order"])
    folder = Path(order.folder) / f"generator-{data['number']}"
    if not folder.parent.parent.exists():  # another machine
        folder = _FOLDERS.enter_context(scratch_folder("generator"))
    folder.mkdir(parents=True, exist_ok=True)
    deployment = folder / "deployment.json"
    deployment.touch(mode=0o600)
    deployment.write_text(data["deployment"])
    return replace(order, deployment=str(deployment), folder=str(folder))
