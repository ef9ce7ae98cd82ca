"""A worker dies while sagas are in flight."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.history import History
from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.contest import Asked, why_not_killed, with_short_leases
from bakeoff_bench.suite.facts import about
from bakeoff_bench.suite.recovery import Recovery
from bakeoff_bench.suite.stage import Stage

#: Seconds after the kill by which everything is settled, with short leases and with those of the class.
_DEADLINE_S, _OWN_DEADLINE_S = 60.0, 180.0


def test_recovery(bench: Bench, contestant: Contestant, asked: Asked, stage: Stage, tmp_path: Path) -> None:
    """From SIGKILL of a worker, caught at ``--point``, to the end of every saga that was in flight."""
    if why := why_not_killed(contestant):
        pytest.skip(f"not supported: {why}")
    site = stage.site(contestant if asked.own_leases else with_short_leases(contestant), faults=True)
    file = tmp_path / "history.jsonl"
    with History(file) as history:
        deadline_s = _OWN_DEADLINE_S if asked.own_leases else _DEADLINE_S
        recovery = Recovery(site, asked.aim, deadline_s, history, file)
        bench.tell(
            **about(site),
            load="three sagas in flight, all of them standing at a point",
            fault="worker-kill",
            point=asked.point,
            leases="of the class" if asked.own_leases else "short, as in class ci",
            lease_s=recovery.lease_s,
            deadline_s=deadline_s,
        )

        strokes = bench.time(
            f"recovery: {asked.point}",
            recovery.prepare,
            recovery.strike,
            recovery.judge,
            rounds=5,
            warm_up=0,
        )

    bench.tell(**recovery.facts(len(strokes)))
