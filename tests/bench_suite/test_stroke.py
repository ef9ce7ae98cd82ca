"""A round of ``recovery``: nobody dies before the clock starts, and rounds do not overlap."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bakeoff.checkers import Evidence
from bakeoff.contract.contestants import Wishes, find_contestants
from bakeoff.history import History
from bakeoff.orders import ORDER
from bakeoff.world import Aim, Point
from bakeoff_bench.crash import kill
from bakeoff_bench.crash.judging import judged
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.suite import stroke as strokes
from bakeoff_bench.suite.recovery import Recovery
from bakeoff_bench.suite.site import Site, running_site

pytestmark = pytest.mark.service

_AIM = Aim("charge_payment", "action", Point.AFTER_EFFECT)
_JUDGING_S = 3.0


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    (contestant,) = find_contestants(Wishes(engines=["dramatiq"]))
    with running_site(contestant, faults=True) as site:
        yield site


@pytest.fixture
def recovery(site: Site, tmp_path: Path) -> Iterator[Recovery]:
    with History(tmp_path / "history.jsonl") as history:
        yield Recovery(site, _AIM, 60.0, history, tmp_path / "history.jsonl")


def _restarts(site: Site) -> int:
    assert site.stack.workers is not None
    return site.stack.workers.restarts


def test_sagas_that_stood_too_long_are_set_up_again_without_a_kill(
    site: Site, recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strokes, "_FRESH", 0.0)
    before = _restarts(site)

    with pytest.raises(pytest.fail.Exception, match="4 times no saga stood at its point: the call had stood"):
        recovery.prepare()

    records = site.stack.world.ledger()
    done = [one.workflow_id for one in records if one.kind == "effect" and one.step == "send_confirmation"]
    assert recovery.set_up_again == 4
    assert _restarts(site) == before
    assert sorted(done) == sorted({one.workflow_id for one in records})  # nobody is in flight
    assert len(done) == 4 * 3


def test_the_clock_runs_from_the_kill_to_the_last_saga(
    site: Site, recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what comes before it nor the judging, which takes its time here, is in it."""

    def slowly(evidences: Sequence[Evidence]) -> tuple[KillOutcome, str]:
        time.sleep(_JUDGING_S)
        return judged(evidences)

    monkeypatch.setattr(kill, "judged", slowly)
    before = _restarts(site)
    stroke = recovery.prepare()
    time.sleep(0.5)  # longer than the supervisor needs to see a worker's end
    assert _restarts(site) == before

    began_s = time.perf_counter()
    recovery.strike(stroke)
    took_s = time.perf_counter() - began_s
    settled = {
        one.workflow_id
        for one in site.stack.world.ledger()
        if one.kind == "effect" and one.step == list(ORDER.steps())[-1].name
    }
    recovery.judge(stroke)

    (made,) = recovery.made
    assert _restarts(site) == before + 1
    assert set(made.workflow_ids) <= settled  # when the clock stopped
    assert made.recovery_s is not None
    assert made.recovery_s <= took_s < made.recovery_s + _JUDGING_S
