"""``celery-sagalog`` on paper: what its log decides, whatever becomes of messages and workers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.generator import INPUT, KINDS, Kind, generate
from bakeoff.errors import SignalRejectedError
from bakeoff.expectation import Facts, expect
from bakeoff.outcome import Status
from bakeoff.saga import Saga
from bakeoff_celery.sagalog import happenings
from bakeoff_celery.sagalog.happenings import settle
from bakeoff_celery.sagalog.record import Key, Record, Signal, State
from bakeoff_celery.sagalog.way import exhausted_step
from tests.engines.sagalog_paper import LEASE_S, Paper

#: Random sagas of each kind.
SEEDS = range(200)


@pytest.mark.parametrize("kind", KINDS)
def test_lost_and_doubled_messages_change_nothing(kind: Kind) -> None:
    """Status, cause, every attempt and the order of effects are what the independent model says."""
    for seed in SEEDS:
        choose = random.Random(f"{kind} {seed}").choice
        saga, fates = generate(choose, "random", kind)
        paper = Paper(saga, fates, choose, trouble=("lost", "doubled"), input=INPUT)
        record = paper.run()
        model = expect(saga, fates, Facts(input=INPUT))

        assert record.status is model.status, (seed, record)
        cause = (record.cause.type, record.cause.step) if record.cause else None
        assert cause in model.causes or (cause is None and not model.causes), (seed, record)
        assert paper.attempts == dict(model.attempts), (seed, record)
        assert frozenset(record.failed_undos) == model.failed_compensations, (seed, record)
        effects = iter(paper.effects)
        groups = [frozenset(next(effects) for _ in group) for group in model.effects]
        assert (groups, list(effects)) == (list(model.effects), []), (seed, record)


@pytest.mark.parametrize("kind", KINDS)
def test_workers_that_die_leave_all_or_nothing(kind: Kind) -> None:
    """A lost attempt is a fault: it costs attempts, and at the worst the saga, but never half of it."""
    deaths, statuses = 0, set()
    for seed in SEEDS:
        choose = random.Random(f"deaths {kind} {seed}").choice
        saga, fates = generate(choose, "random", kind)
        paper = Paper(saga, fates, choose, trouble=("lost", "doubled", "died"), input=INPUT)
        record = paper.run()
        deaths += paper.deaths
        statuses.add(record.status)

        acted = [step for step, direction, what in paper.effects if (direction, what) == ("action", "effect")]
        undone = [step for step, direction, _ in paper.effects if direction == "compensation"]
        assert len(acted) == len(set(acted)), (seed, record)
        assert len(undone) == len(set(undone)), (seed, record)
        exhausted = exhausted_step(saga, record)
        handed_over = [exhausted.name] if exhausted is not None else []
        if record.status is Status.COMPLETED:
            if kind not in ("conditions", "escalations"):  # there it is not for every step to act
                assert sorted(acted) == sorted(step.name for step in saga.steps()), (seed, record)
            assert undone in ([], [*handed_over]), (seed, record)
        else:
            owed = {step for step in acted if saga.step(step).compensation}
            assert owed - set(undone) <= set(record.failed_undos), (seed, record)
            # What was undone before its escalation is not undone in its turn.
            places = [saga.index_of(step) for step in undone if step not in handed_over]
            assert places == sorted(places, reverse=True), (seed, record)
    assert deaths > len(SEEDS) / 4
    assert {Status.COMPLETED, Status.COMPENSATED} <= statuses


def _at(saga: Saga, *done: str) -> Record:
    """A saga whose steps ``done`` have succeeded; the next one is ready."""
    record = Record(id="w", saga=saga.name, input=None, started_at=0.0)
    settle(saga, record, 0.0)
    for step in done:
        assert happenings.claim(saga, record, (step, "action"), 1, 1.0, LEASE_S, False)
        happenings.succeed(record, (step, "action"), 1, None)
        settle(saga, record, 1.0)
    return record


def _open(record: Record) -> list[str]:
    return [entry.step for entry in record.entries.values() if entry.open]


def test_a_zombies_answer_is_too_late() -> None:
    """Its lease ran out and another attempt is under way: what it says now changes nothing."""
    record = _at(sagas.TRIP)
    key: Key = ("book_flight", "action")
    behind_s = 0.9  # the record is of second 1.0: the clock of this worker's host lags a little
    assert happenings.claim(sagas.TRIP, record, key, 1, behind_s, LEASE_S, False)
    assert not happenings.claim(sagas.TRIP, record, key, 1, 2.0, LEASE_S, False)
    assert not happenings.claim(sagas.TRIP, record, key, 1, 2.0 + LEASE_S, LEASE_S, False)
    assert record.entries[key].attempt == 2
    assert happenings.claim(sagas.TRIP, record, key, 2, 30.0, LEASE_S, False)

    happenings.succeed(record, key, 1, "late")
    happenings.decline(record, key, 1, ("BusinessError", "late"))

    assert (record.entries[key].state, record.entries[key].result) == (State.RUNNING, None)
    assert record.entries[key].doubtful


def test_steps_inserted_by_a_new_version() -> None:
    """What stands in front of the place where a saga is is passed over, what stands behind is done."""
    flight, hotel, *rest = sagas.TRIP.elements
    early, late = (replace(flight, name=name) for name in ("insure", "upgrade"))
    newer = Saga("trip", (early, flight, hotel, late, *rest), version=2)
    record = _at(sagas.TRIP, "book_flight", "book_hotel")
    assert _open(record) == ["book_car"]

    before = _at(sagas.TRIP, "book_flight")
    happenings.claim(newer, before, ("book_hotel", "action"), 1, 2.0, LEASE_S, False)
    happenings.succeed(before, ("book_hotel", "action"), 1, None)
    settle(newer, before, 2.0)
    assert _open(before) == ["upgrade"]

    settle(newer, record, 2.0)
    assert _open(record) == ["book_car"]


def test_a_cancel_waits_for_who_acts_and_drops_who_does_not() -> None:
    record = _at(sagas.PARALLEL, "book_flight")
    happenings.claim(sagas.PARALLEL, record, ("left", "action"), 1, 2.0, LEASE_S, False)
    happenings.cancel(sagas.PARALLEL, record)
    settle(sagas.PARALLEL, record, 2.0)
    assert _open(record) == ["left"]

    happenings.succeed(record, ("left", "action"), 1, None)
    settle(sagas.PARALLEL, record, 3.0)
    assert record.cause is not None
    assert record.cause.type == "Cancelled"
    assert [entry.key for entry in record.entries.values() if entry.open] == [("left", "compensation")]


def test_what_is_not_due_is_never_begun() -> None:
    """Not even in the log; what raises ends the way forward after its siblings."""
    record = Record(id="w", saga="conditional", input={"wanted": ["right"]}, started_at=0.0)
    settle(sagas.CONDITIONAL, record, 0.0)
    assert list(record.entries) == [("right", "action")]

    broken = Record(id="w", saga="conditional", input={}, started_at=0.0)
    settle(sagas.CONDITIONAL, broken, 0.0)
    assert (broken.status, list(broken.entries)) == (Status.COMPENSATED, [])
    assert broken.cause is not None
    assert (broken.cause.type, broken.cause.step) == ("ConditionError", "book_flight")


def test_exhausted_is_not_declined() -> None:
    """A decline may follow a fault: both leave the step doubtful, and one of them escalates."""
    for end in ("fault", "decline"):
        record = _at(sagas.ESCALATING, "book_flight")
        key: Key = ("hasty", "action")
        _fault(record, key, 1)
        assert happenings.claim(sagas.ESCALATING, record, key, 2, 9.0, LEASE_S, False)
        if end == "fault":
            happenings.fault(sagas.ESCALATING, record, key, 2, ("InjectedFault", "broken"), 9.0)
        else:
            happenings.decline(record, key, 2, ("BusinessError", "no"))
        settle(sagas.ESCALATING, record, 9.0)
        assert [entry.key for entry in record.entries.values() if entry.open] == [("hasty", "compensation")]
        assert (record.cause is None) is (end == "fault")


def test_a_signal_for_the_way_that_was_left_is_late() -> None:
    """From the moment when the step is exhausted; the wait of its escalation takes it."""
    record = _at(sagas.ASKING)
    for attempt in (1, 2):
        _fault(record, ("hasty", "action"), attempt, sagas.ASKING)

    with pytest.raises(SignalRejectedError, match="too late"):
        happenings.deliver(sagas.ASKING, record, Signal("asked", "s", None))
    assert happenings.deliver(sagas.ASKING, record, Signal("asked_again", "s", None))


def _fault(record: Record, key: Key, attempt: int, saga: Saga = sagas.ESCALATING) -> None:
    now = 2.0 * attempt
    assert happenings.claim(saga, record, key, attempt, now, LEASE_S, False)
    happenings.fault(saga, record, key, attempt, ("InjectedFault", "broken"), now)
    settle(saga, record, now)
