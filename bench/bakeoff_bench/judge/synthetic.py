"""A stored run that no engine made: order sagas of every fate, as many as asked for, piece by piece."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import insert

from bakeoff.checkers import Planned, Shape
from bakeoff.expectation import Expectation, FatePlan, expect
from bakeoff.orders import ORDER
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import Direction, idempotency_key
from bakeoff.world import World, schema
from bakeoff.world.database import file_url, writing
from bakeoff.world.fate import Profile
from bakeoff_bench.run.folder import RunFolder
from bakeoff_scenarios import Workload

ENGINE = "synthetic"

_PRICE, _SKU = 500, "A"
_STEPS = tuple(step.name for step in ORDER.steps())
#: Sagas that are written at once.
_AT_ONCE = 2000

_DONE = ("effect", "action")

#: ``(kind, step, direction)`` of a record.
_Entry = tuple[str, str, Direction]


def _call(direction: Direction, *steps: str) -> tuple[_Entry, ...]:
    """Each step tried once, with success."""
    return tuple((kind, step, direction) for step in steps for kind in ("attempt", "effect"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One course that a saga may take.

    Attributes:
        fate: What the judge must find.
        share: How many of a thousand sagas take it.
        entries: Its records.
        fates: Its fault plan.
        cause: Why it was compensated.
        failed: Step whose compensation gave up.
    """

    fate: str
    share: int
    entries: tuple[_Entry, ...]
    fates: Mapping[str, FatePlan] = field(default_factory=dict)
    cause: Cause | None = None
    failed: str = ""

    @property
    def word(self) -> Outcome | None:
        """What the engine tells."""
        if self.fate not in (Status.COMPLETED, Status.COMPENSATED, Status.COMPENSATION_FAILED):
            return None
        done = {
            step: {"done": step} for kind, step, way in self.entries if (kind, way) == ("effect", "action")
        }
        failed = (self.failed,) if self.failed else ()
        return Outcome(Status(self.fate), done, self.cause, failed)


_GIVES_UP = ORDER.step(_STEPS[0]).compensation_retry.maximum_attempts or 1
_DECLINED = (*_call("action", _STEPS[0]), ("attempt", _STEPS[1], "action"))
_DECLINE: Mapping[str, FatePlan] = {f"{_STEPS[1]}:action": {"then": "decline"}}
_CAUSE = Cause("BusinessError", "declined", _STEPS[1])

KINDS = (
    Kind(fate="completed", share=900, entries=_call("action", *_STEPS)),
    Kind(
        fate="compensated",
        share=80,
        entries=(*_DECLINED, *_call("compensation", _STEPS[0])),
        fates=_DECLINE,
        cause=_CAUSE,
    ),
    Kind(
        fate="compensation_failed",
        share=15,
        entries=(*_DECLINED, *(("attempt", _STEPS[0], "compensation"),) * _GIVES_UP),
        fates={**_DECLINE, f"{_STEPS[0]}:compensation": {"then": "fault"}},
        cause=_CAUSE,
        failed=_STEPS[0],
    ),
    Kind(fate="stuck", share=4, entries=_call("action", *_STEPS[:2])),
    Kind(fate="lost", share=1, entries=_call("action", _STEPS[0])),
)


def write_run(path: Path, records: int) -> dict[str, int]:
    """Write a run folder with at least that many ledger records; return ``{fate: sagas}``."""
    sagas = -(-records * 1000 // sum(kind.share * len(kind.entries) for kind in KINDS))
    folder = RunFolder.create(path)
    wheel = [kind for kind in KINDS for _ in range(kind.share)]
    kinds = [wheel[number * 373 % 1000] for number in range(sagas)]  # 373 and 1000 share no factor: all mixed
    fates = Counter(kind.fate for kind in kinds)
    expected = {kind.fate: expect(ORDER, kind.fates) for kind in KINDS}
    planned = Counter(str(expected[kind.fate].status) for kind in kinds)
    folder.write_manifest(_manifest(sagas))
    folder.write_workload(
        ENGINE,
        Workload(assignments=(), orders=(), stock={_SKU: sagas}, profile=Profile(), counts=planned),
    )
    world = World.create(file_url(folder.engine(ENGINE) / "world.db"))
    try:
        with (
            (folder.engine(ENGINE) / "plan.jsonl").open("w") as plan,
            (folder.engine(ENGINE) / "history.jsonl").open("w") as history,
        ):
            for first in range(0, sagas, _AT_ONCE):
                some = list(enumerate(kinds[first : first + _AT_ONCE], start=first))
                _write(some, expected, plan, history, world)
        held = fates["compensation_failed"] + fates["stuck"] + fates["lost"]
        left = sagas - fates["completed"] - held
        with writing(world.engine) as tx:
            tx.execute(
                insert(schema.stock),
                {"sku": _SKU, "on_hand": left, "reserved": held, "shipped": fates["completed"]},
            )
    finally:
        world.close()
    return dict(fates)


def _write(
    some: list[tuple[int, Kind]],
    expected: Mapping[str, Expectation],
    plan: TextIO,
    history: TextIO,
    world: World,
) -> None:
    for number, kind in some:
        one = Planned(
            workflow_id=f"order-{number}",
            input=str(number),
            expected=expected[kind.fate],
            order_id=str(number),
        )
        plan.write(json.dumps(one.to_json(), separators=(",", ":")) + "\n")
        history.writelines(
            json.dumps(line, separators=(",", ":")) + "\n" for line in _operations(number, kind)
        )
    with writing(world.engine) as tx:
        tx.execute(
            insert(schema.ledger), [record for number, kind in some for record in _records(number, kind)]
        )
        tx.execute(
            insert(schema.orders),
            [
                {"order_id": str(n), "currency": "EUR", "total_minor": _PRICE, "lines": [[_SKU, 1, _PRICE]]}
                for n, _ in some
            ],
        )
        done = [str(number) for number, kind in some if kind.fate == "completed"]
        captured = {"amount_minor": _PRICE, "state": "captured"}
        tx.execute(insert(schema.charges), [{"charge_id": n, "order_id": n, **captured} for n in done])
        shipments = [{"shipment_id": n, "order_id": n, "state": "created"} for n in done]
        tx.execute(insert(schema.shipments), shipments)
        messages = [{"message_id": n, "order_id": n, "kind": "confirmation"} for n in done]
        tx.execute(insert(schema.messages), messages)


def _records(number: int, kind: Kind) -> Iterator[dict[str, Any]]:
    ordinals: Counter[tuple[str, str]] = Counter()
    for what, step, direction in kind.entries:
        ordinals[step, direction] += what == "attempt"
        yield {
            "kind": what,
            "key": idempotency_key(f"order-{number}", step, direction),
            "workflow_id": f"order-{number}",
            "step": step,
            "direction": direction,
            "ordinal": ordinals[step, direction],
            "attempt": ordinals[step, direction],
            "repeat": False,
            "pid": 1,
            "at": 0.0,
            "result": {"done": step} if what == "effect" else None,
        }


def _operations(number: int, kind: Kind) -> Iterator[dict[str, Any]]:
    word = kind.word
    answers: list[tuple[str, dict[str, Any]]] = [("start", {"type": "ok", "value": True})]
    if word is not None:
        answers += [
            ("settled", {"type": "ok", "value": True}),
            ("result", {"type": "ok", "value": word.to_json()}),
        ]
    elif kind.fate == "lost":
        answers.append(("result", {"type": "failed", "error": "WorkflowNotFoundError: no such saga"}))
    for place, (name, answer) in enumerate(answers):
        n = number * 3 + place
        yield {"n": n, "type": "invoke", "op": name, "workflow_id": f"order-{number}", "at_s": float(n)}
        yield {"n": n, "at_s": n + 0.5, **answer}


def _manifest(sagas: int) -> dict[str, Any]:
    """What the judge reads of a manifest; nothing was measured."""
    engine = {
        "title": "no engine",
        "note": "",
        "versions": {},
        "config_class": "",
        "settings": {},
        "changed": [],
        "raw": {},
        "durability": "",
        "lacking": {},
        "silent": "",
        "notes": [],
        "blocks": [{"seconds": 1.0, "harness_cpu_s": 0.0, "deployment_cpu_s": 0.0, "idle_others_cpu_s": 0.0}],
    }
    return {
        "complete": True,
        "scenario": "synthetic",
        "saga": {"name": ORDER.name, "references": [], "shape": Shape.of(ORDER).to_json()},
        "orders": {"source": "made up", "usable": sagas, "rejected_lines": 0, "rejected_orders": 0},
        "seed": 0,
        "rounds": 1,
        "concurrency": 1,
        "workers": 1,
        "slots": 1,
        "participants": "idempotent",
        "machine": {"cpus": 1},
        "engines": {ENGINE: engine},
    }
