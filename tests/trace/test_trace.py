"""One saga's records and the client's history as spans."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bakeoff.history import Operation
from bakeoff.saga import Direction
from bakeoff.world.ledger import Record
from bakeoff_bench.trace import Part, Trace, trace_of

_BEGAN_AT = 1_000_000.0
#: The client calls half a second after its history began.
_CALLED_S = 0.5


def _record(
    kind: str, step: str, at_s: float, ordinal: int = 1, direction: Direction = "action", seq: int = 0
) -> Record:
    """``at_s`` counts from the client's call."""
    return Record(
        seq=seq or round(at_s * 1000),
        kind=kind,
        key=f"a:{step}:{direction}",
        workflow_id="a",
        step=step,
        direction=direction,
        ordinal=ordinal,
        attempt=ordinal,
        repeat=False,
        pid=7,
        at=_BEGAN_AT + _CALLED_S + at_s,
        result=None,
    )


def _operation(name: str, from_s: float, until_s: float | None, value: object = None) -> Operation:
    return Operation(
        name=name,
        workflow_id="a",
        invoked_at_s=_CALLED_S + from_s,
        completed_at_s=None if until_s is None else _CALLED_S + until_s,
        completion="unknown" if until_s is None else "ok",
        value=value,
    )


def _trace(records: Sequence[Record], told_s: float | None = None) -> Trace:
    operations = [_operation("start", 0.0, 0.1)]
    if told_s is not None:
        operations.append(_operation("result", told_s - 0.01, told_s, {"status": "completed"}))
    found = trace_of("a", "inline", records, operations, _BEGAN_AT)
    assert found is not None
    return found


def _shares(trace: Trace) -> dict[Part, float]:
    return {part: round(seconds, 6) for part, seconds in trace.shares_s().items() if seconds > 1e-9}


def test_every_moment_of_a_saga_that_goes_well_has_its_part() -> None:
    trace = _trace(
        [
            _record("attempt", "charge", 0.3),
            _record("effect", "charge", 0.35),
            _record("attempt", "ship", 0.55),
            _record("effect", "ship", 0.6),
        ],
        told_s=0.9,
    )

    assert trace.status == "completed"
    assert trace.seconds == pytest.approx(0.9)
    assert _shares(trace) == {
        Part.START: 0.1,
        Part.QUEUE: 0.2,
        Part.EXECUTION: 0.1,
        Part.BETWEEN: 0.2,
        Part.TELLING: 0.3,
    }


def test_a_failed_attempt_and_the_pause_after_it_are_a_retry() -> None:
    trace = _trace(
        [
            _record("attempt", "charge", 0.2, ordinal=1),
            _record("attempt", "charge", 0.7, ordinal=2),
            _record("effect", "charge", 0.8, ordinal=2),
        ]
    )

    assert _shares(trace) == {Part.START: 0.1, Part.QUEUE: 0.1, Part.RETRY: 0.5, Part.EXECUTION: 0.1}
    assert [span.attributes["attempt"] for span in trace.spans if span.part is Part.EXECUTION] == [1, 2]


def test_a_message_that_comes_twice_after_its_effect_holds_up_nobody() -> None:
    """The saga has gone on meanwhile, and was over; what is repeated after the outcome is no part of it."""
    trace = _trace(
        [
            _record("attempt", "charge", 0.2, ordinal=1),
            _record("effect", "charge", 0.3, ordinal=1),
            _record("attempt", "ship", 0.5),
            _record("effect", "ship", 0.6),
            _record("attempt", "charge", 0.7, ordinal=2),
            _record("attempt", "ship", 60.0, ordinal=2),
        ],
        told_s=1.0,
    )

    assert trace.seconds == pytest.approx(1.0)
    assert _shares(trace) == {
        Part.START: 0.1,
        Part.QUEUE: 0.1,
        Part.EXECUTION: 0.2,
        Part.BETWEEN: 0.3,
        Part.TELLING: 0.3,
    }


def test_the_last_attempt_that_came_to_nothing_lasts_until_what_comes_next() -> None:
    """A step that ran into its timeout is not the orchestrator's time."""
    trace = _trace(
        [
            _record("attempt", "charge", 0.1),
            _record("attempt", "charge", 2.1, direction="compensation"),
            _record("effect", "charge", 2.2, direction="compensation"),
        ]
    )

    assert _shares(trace) == {Part.START: 0.1, Part.RETRY: 2.0, Part.COMPENSATION: 0.1}


def test_a_wall_clock_that_was_set_makes_no_time_before_the_call() -> None:
    trace = _trace([_record("attempt", "charge", -0.5, seq=1), _record("effect", "charge", 0.2, seq=2)])

    assert min(span.start_s for span in trace.spans) == 0.0
    assert sum(trace.shares_s().values()) == pytest.approx(trace.seconds)


def test_undos_are_compensation_whether_they_undo_something_or_not() -> None:
    trace = _trace(
        [
            _record("attempt", "charge", 0.1),
            _record("effect", "charge", 0.2),
            _record("attempt", "charge", 0.4, direction="compensation"),
            _record("effect", "charge", 0.5, direction="compensation"),
            _record("attempt", "reserve", 0.5, direction="compensation", seq=501),
            _record("nothing", "reserve", 0.6, direction="compensation"),
        ]
    )

    assert _shares(trace)[Part.COMPENSATION] == pytest.approx(0.2)
    assert _shares(trace)[Part.BETWEEN] == pytest.approx(0.2)


def test_what_runs_at_the_same_time_counts_once() -> None:
    """Two members of a group, one of which is tried twice while the other acts."""
    trace = _trace(
        [
            _record("attempt", "left", 0.1, seq=1),
            _record("attempt", "right", 0.1, ordinal=1, seq=2),
            _record("attempt", "right", 0.4, ordinal=2, seq=3),
            _record("effect", "left", 0.5, seq=4),
            _record("effect", "right", 0.6, ordinal=2, seq=5),
        ]
    )

    assert _shares(trace) == {Part.START: 0.1, Part.EXECUTION: 0.5}
    assert sum(trace.shares_s().values()) == pytest.approx(trace.seconds)


def test_a_first_attempt_before_the_answer_to_the_start_leaves_no_hole() -> None:
    trace = _trace([_record("attempt", "charge", 0.05), _record("effect", "charge", 0.3)])

    assert _shares(trace) == {Part.START: 0.05, Part.EXECUTION: 0.25}


def test_a_saga_that_nobody_started_has_no_trace_and_one_that_nobody_ran_only_its_start() -> None:
    assert trace_of("a", "inline", [], [], _BEGAN_AT) is None
    assert _shares(_trace([])) == {Part.START: 0.1}
    unanswered = trace_of("a", "inline", [], [_operation("start", 0.0, None)], _BEGAN_AT)
    assert unanswered is not None
    assert unanswered.seconds == 0.0
    assert unanswered.status == ""
