"""``celery-sagalog`` on paper: what its log decides, whatever becomes of messages and workers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.generator import KINDS, Kind, generate
from bakeoff.expectation import expect
from bakeoff.outcome import Status
from bakeoff.saga import Saga
from bakeoff_celery.sagalog import happenings
from bakeoff_celery.sagalog.happenings import settle
from bakeoff_celery.sagalog.record import Key, Record, State
from tests.engines.sagalog_paper import LEASE_S, Paper

#: Random sagas of each kind.
SEEDS = range(200)


@pytest.mark.parametrize("kind", KINDS)
def test_lost_and_doubled_messages_change_nothing(kind: Kind) -> None:
    """Status, cause, every attempt and the order of effects are what the independent model says."""
    for seed in SEEDS:
        choose = random.Random(f"{kind} {seed}").choice
        saga, fates = generate(choose, "random", kind)
        paper = Paper(saga, fates, choose, trouble=("lost", "doubled"))
        record = paper.run()
        model = expect(saga, fates)

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
        paper = Paper(saga, fates, choose, trouble=("lost", "doubled", "died"))
        record = paper.run()
        deaths += paper.deaths
        statuses.add(record.status)

        acted = [step for step, direction, what in paper.effects if (direction, what) == ("action", "effect")]
        undone = [step for step, direction, _ in paper.effects if direction == "compensation"]
        assert len(acted) == len(set(acted)), (seed, record)
        assert len(undone) == len(set(undone)), (seed, record)
        if record.status is Status.COMPLETED:
            assert sorted(acted) == sorted(step.name for step in saga.steps()), (seed, record)
            assert undone == [], (seed, record)
        else:
            owed = {step for step in acted if saga.step(step).compensation}
            assert owed - set(undone) <= set(record.failed_undos), (seed, record)
            places = [saga.index_of(step) for step in undone]
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
