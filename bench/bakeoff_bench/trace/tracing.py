"""From the records of one saga to its trace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from bakeoff.history import Operation
from bakeoff.world.ledger import Record
from bakeoff_bench.trace.span import Part, Span, Trace


def trace_of(
    workflow_id: str, engine: str, records: Sequence[Record], operations: Iterable[Operation], began_at: float
) -> Trace | None:
    """What the ledger and the client's history say of one saga.

    The ledger's moments are the services' wall clock, the history's the client's monotonic one. Both are of
    one machine and meet at ``began_at``; a wall clock that is set meanwhile shows as time between steps.

    Args:
        workflow_id, engine: Of the saga.
        records: Its records, in their order.
        operations: Of the client, on this saga.
        began_at: Unix seconds at which the history began.

    Returns:
        ``None`` if nobody started it.
    """
    own = list(operations)
    start = next((one for one in own if one.name == "start"), None)
    if start is None:
        return None
    zero_s = start.invoked_at_s
    accepted_s = (start.completed_at_s if start.completed_at_s is not None else zero_s) - zero_s
    told = next((one for one in own if one.name == "result" and one.completion == "ok"), None)
    told_s = None if told is None or told.completed_at_s is None else told.completed_at_s - zero_s
    acts = list(_within(_acts(records, began_at + zero_s), told_s))
    spans = [Span(name="start", part=Part.START, start_s=0.0, end_s=accepted_s), *acts]
    spans += _gaps(acts, accepted_s)
    last_s = max((span.end_s for span in acts), default=accepted_s)
    if told_s is not None and told_s > last_s:
        spans.append(Span(name="outcome", part=Part.TELLING, start_s=last_s, end_s=told_s))
    return Trace(
        workflow_id=workflow_id,
        engine=engine,
        status=_status(told),
        spans=sorted(spans, key=lambda span: (span.start_s, span.end_s)),
    )


def _acts(records: Sequence[Record], zero_at: float) -> Iterable[Span]:
    """What every call did, and what lay between its attempts."""
    moments = sorted(record.at - zero_at for record in records)
    by_call = groupby(sorted(records, key=lambda record: (record.call, record.seq)), _call)
    for _, same in by_call:
        yield from _call_spans(list(same), zero_at, moments)


def _within(spans: Iterable[Span], told_s: float | None) -> Iterable[Span]:
    """Nothing before the client called, nothing after it was told: repeats of then are no part of it."""
    end_s = math.inf if told_s is None else told_s
    for span in spans:
        if span.start_s <= end_s:
            yield replace(span, start_s=max(0.0, span.start_s), end_s=max(0.0, min(span.end_s, end_s)))


def _call(record: Record) -> tuple[str, str]:
    return record.call


def _call_spans(records: Sequence[Record], zero_at: float, moments: Sequence[float]) -> Iterable[Span]:
    """Of one call: an execution for every attempt with a record after it, otherwise a failed attempt.

    A failed attempt lasts, with the pause after it, until the next attempt of the call; the last one until
    whatever comes next in the saga. What is attempted again after the effect (a message that came twice) was
    no time that the saga waited for.
    """
    attempts = [record for record in records if record.kind == "attempt"]
    done = {record.ordinal: record.at for record in records if record.kind in ("effect", "nothing")}
    over = False
    for number, attempt in enumerate(attempts):
        acts = Part.EXECUTION if attempt.direction == "action" else Part.COMPENSATION
        attributes = {"attempt": attempt.ordinal, "direction": attempt.direction, "pid": attempt.pid}
        start_s = attempt.at - zero_at
        end_s = max(attempt.at, done.get(attempt.ordinal, attempt.at)) - zero_at
        yield Span(name=attempt.step, part=acts, start_s=start_s, end_s=end_s, attributes=attributes)
        over = over or attempt.ordinal in done
        if over:
            continue
        later = [at_s for at_s in moments if at_s > start_s]
        next_s = (
            attempts[number + 1].at - zero_at if number + 1 < len(attempts) else min(later, default=end_s)
        )
        if next_s > end_s:
            yield Span(name=attempt.step, part=Part.RETRY, start_s=end_s, end_s=next_s, attributes=attributes)


def _gaps(acts: Sequence[Span], accepted_s: float) -> Iterable[Span]:
    """What no call covers: before the first one the queue, afterwards the time between steps."""
    reached_s, part = accepted_s, Part.QUEUE
    for span in sorted(acts, key=lambda span: span.start_s):
        if span.start_s > reached_s:
            yield Span(name=f"until {span.name}", part=part, start_s=reached_s, end_s=span.start_s)
        reached_s, part = max(reached_s, span.end_s), Part.BETWEEN


def _status(told: Operation | None) -> str:
    value = told.value if told is not None else None
    return str(value.get("status", "")) if isinstance(value, dict) else ""
