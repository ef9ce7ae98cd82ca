"""Everything that a judgement rests on: the plan, the ledger, the client's history and the books."""

from __future__ import annotations

import marshal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, TypeVar

from bakeoff.checkers.books import Books
from bakeoff.checkers.shape import Shape
from bakeoff.expectation import Expectation
from bakeoff.history import Operation
from bakeoff.outcome import Outcome
from bakeoff.saga import JSON
from bakeoff.world.ledger import Record

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One saga as it was planned.

    Attributes:
        workflow_id, input: What it is started with.
        expected: What it must come to.
        alternatives: Other acceptable ends, where several sagas race and only the sum is fixed.
        order_id: The order that it handles; ``None`` for sagas without one.
        note: ``""``, ``"cancelled"`` (a cancel is sent) or ``"refused"`` (declined, because the engine
            cannot cancel).
    """

    workflow_id: str
    input: JSON
    expected: Expectation
    alternatives: tuple[Expectation, ...] = ()
    order_id: str | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reverses it."""
        return {
            "workflow_id": self.workflow_id,
            "input": self.input,
            "order_id": self.order_id,
            "note": self.note,
            "expected": self.expected.to_json(),
            "alternatives": [one.to_json() for one in self.alternatives],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Planned:
        """Reverse of ``to_json``."""
        expected = _expectation(marshal.dumps(data["expected"]))
        alternatives = tuple(_expectation(marshal.dumps(one)) for one in data["alternatives"])
        return cls(**{**data, "expected": expected, "alternatives": alternatives})


@lru_cache(maxsize=1024)
def _expectation(plain: bytes) -> Expectation:
    """Sagas with the same fates share one: a long run has a hundred thousand of few kinds."""
    return Expectation.from_json(marshal.loads(plain))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over sagas, small however many there are (``bakeoff.checkers.totals``).

    Attributes:
        fates: ``{fate: sagas}``.
        refusal, doubt: The first saga that could not be started, or may not have been, and why.
        sold, held: ``{stock code: units}`` that completed orders took, and that unfinished ones may hold.
        strangers: Workflow ids in the ledger that nobody issued.
    """

    fates: Counter[str] = field(default_factory=Counter)
    refusal: str = ""
    doubt: str = ""
    sold: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    strangers: int = 0

    def __add__(self, other: Totals) -> Totals:
        """Over the sagas of both; of the firsts that are named, this one's."""
        return Totals(
            fates=self.fates + other.fates,
            refusal=self.refusal or other.refusal,
            doubt=self.doubt or other.doubt,
            sold=self.sold + other.sold,
            held=self.held + other.held,
            strangers=self.strangers + other.strangers,
        )


def remembered(look: Callable[[Evidence], Found]) -> Callable[[Evidence], Found]:
    """Look only once at the same evidence: eleven checkers ask for the same."""

    @wraps(look)
    def remembering(evidence: Evidence) -> Found:
        if look not in evidence.memory:
            evidence.memory[look] = look(evidence)
        found: Found = evidence.memory[look]
        return found

    return remembering


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one engine's part of a run: of all its sagas, or of one batch of them.

    A long run is judged batch by batch. What only the whole run can tell (a sum) is judged with the last.

    Attributes:
        engine: Name.
        shape: Of the saga.
        planned: ``{workflow id: plan}`` of every saga that was to be started, an alternative already
            chosen (``choose_alternatives``).
        counts: ``{status: sagas}`` that must come out.
        ledger: All records in order.
        operations: The client's history.
        books: The services' books afterwards.
        rejected: Orders that are listed as refused before anything started.
        rejected_planned: Orders that the loader said it refused; they count as issued (I8). ``None``: as many
            as are listed.
        silent: Why the engine tells no outcomes, if it declares so.
        engine_faults: Whether processes were killed: extra attempts are then counted, not condemned.
        before: Sums over the batches before this one.
        more: Whether batches follow.
    """

    engine: str
    shape: Shape
    planned: Mapping[str, Planned]
    ledger: Sequence[Record]
    operations: Sequence[Operation]
    books: Books = field(default_factory=Books)
    counts: Mapping[str, int] = field(default_factory=dict)
    rejected: int = 0
    rejected_planned: int | None = None
    silent: str = ""
    engine_faults: bool = False
    before: Totals = field(default_factory=Totals)
    more: bool = False
    memory: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @remembered
    def by_saga(self) -> dict[str, list[Record]]:
        """``{workflow id: its records in order}``, for every planned saga and every other one found."""
        grouped: dict[str, list[Record]] = {workflow_id: [] for workflow_id in self.planned}
        for record in self.ledger:
            grouped.setdefault(record.workflow_id, []).append(record)
        return grouped

    @remembered
    def words(self) -> dict[str, Outcome]:
        """``{workflow id: the outcome that the engine told}``, where it told one."""
        return {
            operation.workflow_id: Outcome.from_json(operation.value)
            for operation in self.operations
            if operation.name == "result" and operation.completion == "ok"
        }
