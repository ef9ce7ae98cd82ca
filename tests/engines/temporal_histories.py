"""Event histories of sagas with every turn that the workflow can take.

They are recorded with ``python -m tests.engines.temporal_histories`` and kept in ``histories/``: a change of
the workflow that cannot replay them would block every saga that runs during a deployment.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bakeoff.contract.lab import Lab, Started
from bakeoff.world import Fate
from bakeoff_temporal.connection import connect
from tests.engines import replay_sagas as sagas
from tests.engines.temporal_stack import temporal_lab

FOLDER = Path(__file__).parent / "histories"

_PID_AT_HOST = re.compile(r"\d+@[\w.-]+")
_BROKEN: Fate = {"then": "fault"}
_DECLINED: Fate = {"then": "decline"}


def sagas_with_every_turn(lab: Lab) -> Iterator[tuple[str, Started]]:
    """Run one saga per turn and yield ``(name of the history, settled saga)``."""
    yield "completed", lab.settle(sagas.STEPS).started
    yield "declined", lab.settle(sagas.STEPS, fates={"three:action": _DECLINED}).started
    yield "exhausted", lab.settle(sagas.STEPS, fates={"last:action": _BROKEN}).started
    fates = {"three:action": _DECLINED, "two:compensation": _BROKEN}
    yield "compensation-failed", lab.settle(sagas.STEPS, fates=fates).started
    yield "pivot", lab.settle(sagas.PIVOT, fates={"two:action": {"first": ["fault"] * 3}}).started
    yield "group", lab.settle(sagas.GROUP, fates={"left:action": _DECLINED}).started
    yield "wait-timed-out", lab.settle(sagas.WAIT_TIMEOUT).started
    waiting = lab.start(sagas.WAIT)
    waiting.signal("word", {"by": "Grace"})
    yield "signalled", waiting.settled().started
    sleeping = lab.start(sagas.SLEEP)
    sleeping.until_done("one")
    sleeping.cancel()
    yield "cancelled-asleep", sleeping.settled().started
    slow = lab.start(sagas.STEPS, fates={"three:action": {"first": ["slow:1.5"], "then": "fault"}})
    slow.until_attempted("three")
    slow.cancel()
    yield "cancelled-in-a-step", slow.settled().started


def history_json(lab: Lab, workflow_id: str) -> str:
    """The event history as Temporal's own tools export it, without what tells where it was made."""

    async def fetch() -> str:
        client = await connect(lab.stack.deployment)
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        return history.to_json()

    return json.dumps(_anonymous(json.loads(lab.thread.call(fetch, 20))), indent=1)


def _anonymous(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _anonymous(item) for key, item in value.items() if key != "stackTrace"}
    if isinstance(value, list):
        return [_anonymous(item) for item in value]
    return _PID_AT_HOST.sub("somebody", value) if isinstance(value, str) else value


@contextmanager
def _lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory() as folder, temporal_lab(Path(folder), "recorded") as lab:
        yield lab


def main() -> None:
    """Record all histories anew."""
    FOLDER.mkdir(exist_ok=True)
    with _lab() as lab:
        for name, started in sagas_with_every_turn(lab):
            (FOLDER / f"{name}.json").write_text(history_json(lab, started.workflow_id) + "\n")
            print(name)


if __name__ == "__main__":
    main()
