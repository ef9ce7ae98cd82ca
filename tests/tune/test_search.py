"""What a search makes of the rounds it is given: whatever chance or a broken ledger does to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.options import choose_saga
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.load.plan import Block, LoadPlan
from bakeoff_bench.tune.knobs import Given, Knob
from bakeoff_bench.tune.search import Searched, search
from bakeoff_bench.tune.trials import CONFIRMATION, Loaded, Trials
from bakeoff_scenarios import find_load

_KNOB = Knob(name="worker_prefetch_multiplier", texts=("1", "4"))
#: What differs from round to round, on both sides.
_DRIFT = (1.0, 1.02, 0.98, 1.01, 0.99, 1.03, 0.97, 1.0)


class _Trials(Trials):
    """Loads whose outcome is known: the found side against a base of 100 per second."""

    def script(
        self, *, speed: float = 1.2, void: Mapping[str, Sequence[int]] | None = None, broken: str = ""
    ) -> _Trials:
        self._speed, self._void, self._broken = speed, void or {}, broken
        return self

    async def _load(self, name: str, contestants: Sequence[Contestant], rounds: int) -> Loaded:
        rows = [self._row(name, one, number) for number in range(rounds) for one in contestants]
        broken = [one.label for one in contestants if self._broken in ("", name) and "=4" in one.label]
        result = {
            "contestants": {
                one.label: {
                    "validity": "invalid" if self._broken and one.label in broken else "valid",
                    "verdicts": [{"title": "conservation", "validity": "invalid"}],
                }
                for one in contestants
            }
        }
        loaded = Loaded(rows=rows, result=result)
        self.valid &= not loaded.broken
        return loaded

    def _row(self, name: str, one: Contestant, number: int) -> dict[str, Any]:
        found = "=4" in one.label
        rate = 100.0 * _DRIFT[number] * (self._speed if found else 1.0)
        # In the stage it always wins; what the confirmation says is the test's business.
        rate = 130.0 if found and name != CONFIRMATION else rate
        side = "found" if found else "base"
        void = ["late"] if name == CONFIRMATION and number in self._void.get(side, ()) else []
        return {
            "contestant": one.label,
            "phase": "round",
            "block": "16 in flight",
            "round": number,
            "users": 16,
            "measured": {
                "void": void,
                "validity": "valid",
                "reasons": [],
                "settled_per_s": rate,
                "kept_up": True,
                "latencies": {},
                "cost": {},
            },
        }


@pytest.fixture
def trials(tmp_path: Path) -> _Trials:
    saga, references = choose_saga("order")
    plan = LoadPlan(
        contestants=(),
        load=find_load("order-steady"),
        saga=saga,
        references=references,
        blocks=[Block(name="16 in flight", users=16)],
        rounds=3,
        seconds=10.0,
        warm_up_s=1.0,
    )
    return _Trials(
        given=Given(engine="celery", sets=("celery.broker=valkey",)),
        plan=plan,
        rounds=3,
        folder=tmp_path,
        weaker=False,
        tell=lambda text: None,
    )


def _search(trials: Trials) -> Searched:
    return asyncio.run(search(trials, [_KNOB], {}, confirm=8, worth=0.05))


def test_what_is_faster_is_kept(trials: _Trials) -> None:
    searched = _search(trials.script(speed=1.2))

    assert searched.kept == {"worker_prefetch_multiplier": "4"}
    assert searched.decided
    assert searched.confirmation is not None
    assert searched.confirmation["ratio"] == pytest.approx(1.2)


@pytest.mark.parametrize("side", ["found", "base"])
@pytest.mark.parametrize(("speed", "kept"), [(1.2, True), (0.8, False)])
def test_a_void_first_round_turns_nothing_around(
    trials: _Trials, side: str, speed: float, kept: bool
) -> None:
    searched = _search(trials.script(speed=speed, void={side: [0]}))

    assert searched.confirmation is not None
    assert searched.confirmation["ratio"] == pytest.approx(speed)
    assert searched.confirmation["rounds"] == 7
    assert bool(searched.kept) == kept


def test_what_is_not_faster_in_new_rounds_is_not_kept(trials: _Trials) -> None:
    searched = _search(trials.script(speed=1.0))

    assert searched.found == {"worker_prefetch_multiplier": "4"}
    assert searched.kept == {}
    assert searched.decided


@pytest.mark.parametrize("stage", ["01-worker_prefetch_multiplier", CONFIRMATION])
def test_what_breaks_a_ledger_is_not_kept_however_fast_it_is(trials: _Trials, stage: str) -> None:
    searched = _search(trials.script(speed=1.5, broken=stage))

    assert searched.kept == {}
    assert not searched.valid
    assert "conservation" in str(searched.to_json())


def test_too_few_rounds_decide_nothing(trials: _Trials) -> None:
    searched = _search(trials.script(void={"found": range(1, 8)}))

    assert not searched.decided
    assert searched.kept == {}
    assert "left as it is" in searched.word
