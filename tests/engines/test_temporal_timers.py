"""A timer of thirty days, on Temporal's own server that skips time."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from bakeoff.contract import sagas
from bakeoff.outcome import Status
from bakeoff_temporal.client import TemporalClient
from tests.engines.temporal_stack import temporal_lab

MONTH = timedelta(days=30)


@pytest.mark.service
def test_timer_of_thirty_days_strikes(tmp_path: Path) -> None:
    """Not a second early, but in no time of ours; then the saga goes on and completes."""
    began = time.monotonic()
    with temporal_lab(tmp_path, "month", overrides={"server": "time-skipping"}) as lab:
        client = lab.stack.client
        assert isinstance(client, TemporalClient)
        started = lab.start(sagas.THIRTY_DAYS)
        lab.until("it sleeps", lambda: started.describe().current_step == "nap")

        lab.thread.call(lambda: client.skip_time((MONTH - timedelta(minutes=1)).total_seconds()), 20)
        lab.never("it struck early", lambda: started.trace().attempts("book_hotel"), for_s=0.5)
        lab.thread.call(lambda: client.skip_time(61), 20)
        settled = started.settled()

    assert settled.outcome.status is Status.COMPLETED
    assert settled.counts == {"book_flight": 1, "book_hotel": 1}
    assert time.monotonic() - began < 60
