"""Event histories of sagas with every turn that the workflow can take.

They are recorded with ``python -m tests.engines.temporal_histories`` and kept in ``histories/``: a change of
the workflow that cannot replay them would block every saga that runs during a deployment.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bakeoff.cli import demo
from bakeoff.cli.options import BUILT_IN_SAGAS
from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.scheduled import scheduled
from bakeoff.errors import SignalRejectedError
from bakeoff.outcome import Status
from bakeoff.processes import kill_session
from bakeoff.registry import load_sagas
from bakeoff.saga import Wait
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
    yield from _branches(lab)
    yield "redriven", _redriven(lab)
    yield "hurried", _hurried(lab)
    yield "scheduled", _scheduled(lab)
    yield from _orders(lab)


def _branches(lab: Lab, prefix: str = "") -> Iterator[tuple[str, Started]]:
    """What was left out, a condition that raised, an escalation and what becomes of one."""
    broken = {"two:action": _BROKEN}
    yield f"{prefix}left-out", lab.settle(sagas.BRANCHES, {"two": False}).started
    yield f"{prefix}condition-raised", lab.settle(sagas.BRANCHES, {}).started
    yield f"{prefix}escalated", lab.settle(sagas.ESCALATION, fates=broken).started
    declined = {**broken, "last:action": _DECLINED}
    yield f"{prefix}escalation-declined", lab.settle(sagas.ESCALATION, fates=declined).started
    started = lab.settle(sagas.ESCALATION, fates={**broken, "two:compensation": _BROKEN}).started
    yield f"{prefix}not-escalated", started
    lab.stack.world.set_fate(started.workflow_id, broken)
    _redrive(started)
    assert started.outcome().status is Status.COMPENSATED
    yield f"{prefix}not-escalated-redriven", started


def _redriven(lab: Lab) -> Started:
    """Reset by an operator to before the undo that had given up."""
    fates: dict[str, Fate] = {"three:action": _DECLINED, "two:compensation": _BROKEN}
    started = lab.settle(sagas.STEPS, fates=fates).started
    lab.stack.world.set_fate(started.workflow_id, {"three:action": _DECLINED})
    _redrive(started)
    assert started.outcome().status is Status.COMPENSATED
    return started


def _hurried(lab: Lab) -> Started:
    """An activity between two attempts that an operator did not want to wait for."""
    started = lab.start(sagas.PATIENT, fates={"one:action": {"first": ["fault"]}})
    lab.until("the pause", lambda: started.describe().next_retry_at)
    _redrive(started)
    assert started.outcome().status is Status.COMPLETED
    return started


def _scheduled(lab: Lab) -> Started:
    """Started by the server: neither its input nor its route came with the start."""
    with scheduled(lab, sagas.STEPS, 2.0) as it:
        return it.saga_of(it.until_begun(1)[0]).settled().started


def _redrive(started: Started) -> None:
    client: Any = started.lab.stack.client
    started.lab.ask(lambda _: client.redrive(started.workflow_id))


def _orders(lab: Lab) -> Iterator[tuple[str, Started]]:
    """Every saga of the order domain, both ways: those in flight must survive an update of bakeoff."""
    demo.fill(lab.stack.world)
    for saga in load_sagas([BUILT_IN_SAGAS]).values():
        *_, last = [step.name for step in saga.steps()]
        for way, fates in (("completed", {}), ("turned-back", {f"{last}:action": _BROKEN})):
            if way == "turned-back" and saga.pivot_index() is not None:
                fates = {"create_shipment:action": _DECLINED}
            started = lab.start(
                saga, "order-123", fates=fates, workflow_id=f"{saga.name}-{way}-{lab.new_id()}"
            )
            for wait in (e for e in saga.elements if isinstance(e, Wait)):
                # One of them waits for two seconds only, which a busy machine may need for more than this.
                with suppress(SignalRejectedError):
                    started.signal(wait.name, {"approved": True, "by": "Grace"})
            yield f"{saga.name}-{way}", started.settled().started


def sagas_whose_worker_died(lab: Lab) -> Iterator[tuple[str, Started]]:
    """Kill every worker in the middle of a step, an undo, a group, a wait and a timer; new ones go on."""
    in_a_step = lab.start(sagas.STEPS, fates={"two:action": {"first": ["slow:0.8"]}})
    turned_back: dict[str, Fate] = {"three:action": _DECLINED, "two:compensation": {"first": ["slow:0.8"]}}
    in_an_undo = lab.start(sagas.STEPS, fates=turned_back)
    waiting = lab.start(sagas.WAIT)
    asleep = lab.start(sagas.SLEEP)
    in_a_group = lab.start(sagas.GROUP, fates={"left:action": {"first": ["slow:0.8"], "then": "decline"}})
    waiting.until_done("one")
    asleep.until_done("one")
    in_a_group.until_attempted("left")
    in_a_step.until_attempted("two")
    in_an_undo.until_undo_attempted("two")
    workers = lab.stack.workers
    assert workers is not None
    for child in list(workers.children):
        kill_session(child.pid)
    waiting.signal("word", {"by": "Grace"})
    for name, started in (
        ("killed-in-a-step", in_a_step),
        ("killed-in-an-undo", in_an_undo),
        ("killed-waiting", waiting),
        ("killed-asleep", asleep),
        ("killed-in-a-group", in_a_group),
    ):
        yield name, started.settled(2 * lab.patience_s).started


def sagas_whose_server_died(lab: Lab) -> Iterator[tuple[str, Started]]:
    """SIGKILL the server in the middle of a step and of an undo; it comes back on its data."""
    in_a_step = lab.start(sagas.STEPS, fates={"two:action": {"first": ["slow:0.8"]}})
    turned_back: dict[str, Fate] = {"three:action": _DECLINED, "two:compensation": {"first": ["slow:0.8"]}}
    in_an_undo = lab.start(sagas.STEPS, fates=turned_back)
    in_a_step.until_attempted("two")
    in_an_undo.until_undo_attempted("two")
    lab.kill_broker()
    yield "server-killed-in-a-step", in_a_step.settled(2 * lab.patience_s).started
    yield "server-killed-in-an-undo", in_an_undo.settled(2 * lab.patience_s).started


def local_sagas(lab: Lab) -> Iterator[tuple[str, Started]]:
    """The turns of sagas that make their steps as local activities, and what a killed worker makes of one."""
    yield "local-completed", lab.settle(sagas.STEPS).started
    yield "local-retried", lab.settle(sagas.STEPS, fates={"two:action": {"first": ["fault"]}}).started
    yield "local-declined", lab.settle(sagas.STEPS, fates={"three:action": _DECLINED}).started
    yield "local-exhausted", lab.settle(sagas.STEPS, fates={"last:action": _BROKEN}).started
    yield "local-group", lab.settle(sagas.GROUP, fates={"left:action": _DECLINED}).started
    yield "local-wait-timed-out", lab.settle(sagas.WAIT_TIMEOUT).started
    yield "local-slept", lab.settle(sagas.SLEEP).started
    waiting = lab.start(sagas.WAIT)
    waiting.signal("word", {"by": "Grace"})
    yield "local-signalled", waiting.settled().started
    yield from _branches(lab, "local-")
    yield "local-redriven", _redriven(lab)
    yield "local-scheduled", _scheduled(lab)
    killed = lab.start(sagas.STEPS, fates={"two:action": {"first": ["slow:0.8"]}})
    killed.until_attempted("two")
    assert lab.stack.workers is not None
    for child in list(lab.stack.workers.children):
        kill_session(child.pid)
    yield "local-killed-in-a-step", killed.settled(2 * lab.patience_s).started


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
def _lab(**overrides: str) -> Iterator[Lab]:
    with (
        tempfile.TemporaryDirectory() as folder,
        temporal_lab(Path(folder), "recorded", overrides=overrides) as lab,
    ):
        yield lab


def main() -> None:
    """Record what is missing; what is there was recorded by earlier code, which is its use."""
    FOLDER.mkdir(exist_ok=True)
    with _lab() as lab:
        for turn in (sagas_with_every_turn, sagas_whose_worker_died, sagas_whose_server_died):
            _record(lab, turn(lab))
    with _lab(local_activities="yes") as lab:
        _record(lab, local_sagas(lab))


def _record(lab: Lab, settled: Iterator[tuple[str, Started]]) -> None:
    for name, started in settled:
        file = FOLDER / f"{name}.json"
        if not file.exists():
            file.write_text(history_json(lab, started.workflow_id) + "\n")
            print(name)


if __name__ == "__main__":
    main()
