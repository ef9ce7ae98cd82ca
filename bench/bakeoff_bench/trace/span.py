"""The model of a trace. It is close to OpenTelemetry's: a trace is one saga, a span one thing that lasted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """What a moment of a saga was spent on; every moment of it belongs to exactly one."""

    START = "start"  #: the client called, the engine had not accepted yet
    QUEUE = "queue"  #: accepted, no step had been attempted yet
    EXECUTION = "execution"  #: a step acted: from its attempt in the ledger to its effect
    RETRY = "retry"  #: an attempt that came to nothing, and what lay between it and what came next
    BETWEEN = (
        "between"  #: a step was over and the next one not attempted: the orchestrator, its queues, a wait
    )
    COMPENSATION = "compensation"  #: an undo acted
    TELLING = "telling"  #: the last record was in the ledger, the client not told yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One thing that lasted.

    Attributes:
        name: Of the step, or of the part of the saga.
        part: What it was.
        start_s, end_s: Seconds after the client called.
        attributes: What else is known: ``attempt``, ``direction``, ``pid``.
    """

    name: str
    part: Part
    start_s: float
    end_s: float
    attributes: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One saga on one engine.

    Attributes:
        workflow_id: Of the saga; the trace's id.
        engine: Where it ran.
        status: The outcome that the client was told; empty: none.
        spans: In the order of their beginnings; together they cover the whole, and they may overlap where
            steps ran at the same time.
    """

    workflow_id: str
    engine: str
    status: str
    spans: Sequence[Span]

    @property
    def seconds(self) -> float:
        """From the client's call to the end of the last span."""
        return max((span.end_s for span in self.spans), default=0.0)

    def shares_s(self) -> dict[Part, float]:
        """``{part: seconds}`` that add up to ``seconds``; of what overlaps, what acts counts."""
        edges = sorted({edge for span in self.spans for edge in (span.start_s, span.end_s)})
        shares = dict.fromkeys(Part, 0.0)
        for start_s, end_s in itertools.pairwise(edges):
            here = {span.part for span in self.spans if span.start_s <= start_s and end_s <= span.end_s}
            if here:
                shares[min(here, key=_BEFORE.index)] += end_s - start_s
        return shares


#: Which part a moment belongs to if several are going on.
_BEFORE = (
    Part.EXECUTION,
    Part.COMPENSATION,
    Part.RETRY,
    Part.START,
    Part.QUEUE,
    Part.BETWEEN,
    Part.TELLING,
)
