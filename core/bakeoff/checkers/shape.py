"""What a checker must know of a saga's definition, storable beside the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from bakeoff.saga import Saga


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShape:
    """One step.

    Attributes:
        element: Position of the element that holds it; members of a group share it.
        compensated: Whether it has a compensation.
        recorded: Whether its attempts and effects are in the ledger.
        undo_attempts: Attempts after which its compensation gives up; ``None`` for never.
        optional: A completed saga may have left it out: it has a condition or an escalation, or stands behind
            a step that has one.
        escalates: It hands over to an escalation when it is exhausted, after its own undo.
    """

    name: str
    element: int
    compensated: bool
    recorded: bool
    undo_attempts: int | None
    optional: bool = False
    escalates: bool = False


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A saga without its functions. ``pivot`` is the position of the pivot's element, if there is one."""

    saga: str
    version: int
    steps: tuple[StepShape, ...]
    pivot: int | None = None

    @classmethod
    def of(cls, saga: Saga) -> Shape:
        """The shape of a saga."""
        escalating = (saga.index_of(step.name) for step in saga.steps() if step.on_exhausted is not None)
        beginning = min(escalating, default=len(saga.elements))
        steps = (
            StepShape(
                name=step.name,
                element=saga.index_of(step.name),
                compensated=step.compensation is not None,
                recorded=bool(step.recorded),
                undo_attempts=step.compensation_retry.maximum_attempts,
                optional=step.when is not None or saga.index_of(step.name) >= beginning,
                escalates=step.on_exhausted is not None,
            )
            for step in saga.steps()
        )
        return cls(saga=saga.name, version=saga.version, steps=tuple(steps), pivot=saga.pivot_index())

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reverses it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Shape:
        """Reverse of ``to_json``."""
        return cls(**{**data, "steps": tuple(StepShape(**step) for step in data["steps"])})

    @cached_property
    def recorded(self) -> tuple[StepShape, ...]:
        """The steps that the ledger shows."""
        return tuple(step for step in self.steps if step.recorded)
