"""Periods are the same for everybody who knows the clock, whatever was restarted in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import schedule as interval
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.errors import ScheduleRefusedError
from bakeoff.schedules import Schedule, in_short, parse_period
from bakeoff_celery.beat import entries, periodically

_EVERY = st.integers(1, 90 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
_MOMENT = st.floats(0, 4e9, allow_nan=False)


def _schedule(every: timedelta, id: str = "acme") -> Schedule:
    return Schedule(id=id, saga="billing", every=every)


@given(_EVERY, _MOMENT)
def test_a_moment_lies_in_its_period(every: timedelta, at: float) -> None:
    schedule = _schedule(every)

    assert schedule.period_at(at) <= at < schedule.next_period(at)
    assert schedule.next_period(at) - schedule.period_at(at) == every.total_seconds()


@given(_EVERY, st.integers(0, 10**6))
def test_ids_of_periods_are_in_their_order(every: timedelta, number: int) -> None:
    """They differ, and sort as text."""
    schedule = _schedule(every)
    begin = number * every.total_seconds()
    if begin + every.total_seconds() > datetime(9999, 1, 1, tzinfo=UTC).timestamp():
        return

    assert schedule.saga_id(begin) < schedule.saga_id(begin + every.total_seconds())
    assert schedule.saga_id(begin) == schedule.saga_id(begin + every.total_seconds() - 0.5)


def test_id_of_a_period_is_as_temporal_forms_it() -> None:
    at = datetime(2026, 11, 28, 20, 12, 42, 700_000, tzinfo=UTC).timestamp()

    assert _schedule(timedelta(seconds=5)).saga_id(at) == "acme-2026-11-28T20:12:40Z"


@pytest.mark.parametrize("text", ["1s", "90s", "15m", "12h", "30d", "2w", "3650d"])
def test_periods_are_read(text: str) -> None:
    assert parse_period(in_short(parse_period(text))) == parse_period(text)


@pytest.mark.parametrize("text", ["", "30", "d", "0s", "-1d", "1.5h", "1 day", "3651d", "9" * 12 + "d", "1M"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ScheduleRefusedError, match="is no period"):
        parse_period(text)


@pytest.mark.parametrize("every", [timedelta(0), timedelta(seconds=-1), timedelta(seconds=1.5)])
def test_a_schedule_counts_in_whole_seconds(every: timedelta) -> None:
    with pytest.raises(ScheduleRefusedError, match="whole seconds"):
        _schedule(every)


@pytest.mark.parametrize("id", ["", " ", "-a", "a b", "a/b", "a" * 101, "é"])
def test_a_schedule_has_an_id_that_every_engine_takes(id: str) -> None:
    with pytest.raises(ScheduleRefusedError, match="up to 100 letters"):
        _schedule(timedelta(days=30), id)


def test_a_schedule_survives_its_file() -> None:
    schedule = _schedule(timedelta(days=30))

    assert Schedule.from_json(schedule.to_json()) == schedule


@pytest.mark.parametrize(
    ("last_s", "now_s", "due", "next_s"),
    [
        (100.0, 109.99, False, 0.01),
        (100.0, 110.0, True, 10.0),
        (109.9, 112.5, True, 7.5),  # late, and the next one is in its time all the same
        (100.0, 165.0, True, 5.0),  # away over six: the one of now, once
        (110.0, 119.0, False, 1.0),
    ],
)
def test_beat_is_due_once_in_every_period(last_s: float, now_s: float, due: bool, next_s: float) -> None:
    def now() -> datetime:
        return datetime.fromtimestamp(now_s, UTC)

    told = periodically(timedelta(seconds=10), nowfun=now).is_due(datetime.fromtimestamp(last_s, UTC))

    assert told.is_due is due
    assert told.next == pytest.approx(next_s)


def test_beat_says_which_period_it_is_when_it_publishes() -> None:
    """A message that lies in the queue for longer than a period belongs to the one in which it was made."""
    schedule = _schedule(timedelta(days=1))
    entry = entries({schedule.id: schedule})[schedule.id]
    saga, workflow_id = entry["args"]

    assert isinstance(entry["schedule"], interval)
    assert saga == "billing"
    assert workflow_id() == schedule.saga_id(datetime.now(UTC).timestamp())
