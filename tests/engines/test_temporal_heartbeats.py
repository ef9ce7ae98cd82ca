"""A step's worker says that it lives: a long step is left alone, a dead worker's step is not waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.contract import sagas
from bakeoff.outcome import Status
from bakeoff.processes import kill_session
from tests.engines.temporal_stack import temporal_lab

pytestmark = pytest.mark.service

#: The hasty step's two seconds become forty: only heartbeats can tell anything sooner.
_SETTINGS = {"heartbeat_timeout_s": "3", "start_to_close_factor": "20", "sticky_timeout_s": "1"}


def test_heartbeats_keep_a_long_step_and_miss_a_dead_worker(tmp_path: Path) -> None:
    with temporal_lab(tmp_path, "heartbeats", overrides=_SETTINGS) as lab:
        long = lab.settle(sagas.POLICIES, fates={"hasty:action": {"first": ["slow:9"]}})
        assert long.outcome.status is Status.COMPLETED
        assert long.counts["hasty"] == 1, "three times as long as a silence may be"

        struck = lab.start(sagas.POLICIES, fates={"hasty:action": {"first": ["slow:35"]}})
        struck.until_attempted("hasty")
        assert lab.stack.workers is not None
        kill_session(lab.stack.workers.children[0].pid)
        trace = struck.until_attempted("hasty", 2)

        first, second = (attempt.at for attempt in trace.attempts("hasty"))
        assert second - first < 30
        assert struck.settled().outcome.status is Status.COMPLETED
