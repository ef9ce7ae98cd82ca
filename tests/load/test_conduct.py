"""What a load run does in which order, against contestants whose speed is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bakeoff.errors import BakeoffError
from bakeoff_bench.load import conduct as conducting
from bakeoff_bench.load.check import unmet_slo
from bakeoff_bench.load.conduct import conduct
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.measured import Measured
from bakeoff_bench.load.pace import LEAST_S, Pace
from bakeoff_bench.load.plan import Block, LoadPlan
from tests.load.measuring import measured
from tests.load.plans import load_plan

#: Sagas per second that each of them carries.
_CAPACITY = {"inline": 400.0, "temporal": 12.0}
#: Whose sagas one at a time do not come out as planned, and why.
_BROKEN: dict[str, str] = {}


@dataclass
class _Scripted:
    """Stands where ``Player`` does: nothing runs, everything is remembered."""

    plan: LoadPlan
    folder: LoadFolder
    manifest: dict[str, Any]
    tell: Callable[[str], None]
    stages: dict[str, Any] = field(default_factory=dict)
    played: list[tuple[str, str, str, float]] = field(default_factory=list)
    ended: bool = False
    round_s: float | None = None

    def __post_init__(self) -> None:
        self.pace = Pace(plan=self.plan)

    async def begin(self, stacks: AsyncExitStack) -> None:
        self.stages = {
            one.label: SimpleNamespace(stack=SimpleNamespace(workers=None, client=None), settled=[])
            for one in self.plan.contestants
        }

    def end(self) -> None:
        self.ended = True

    @contextmanager
    def turn_of(self, label: str) -> Any:
        yield self.stages[label]

    async def play(self, label: str, block: Block, rate: float, phase: str, number: int) -> Measured:
        self.played.append((phase, block.name, label, rate))
        if phase == "check" and label in _BROKEN:
            return measured(validity="invalid", reasons=[_BROKEN[label]])
        capacity = _CAPACITY[label]
        if block.users:
            return measured(settled_per_s=capacity)
        return measured(offered_per_s=rate, settled_per_s=min(rate, capacity), kept_up=rate <= capacity)


@pytest.fixture
def scripted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[_Scripted, dict[str, Any]]]:
    async def no_history(*_: object) -> None:
        return None

    def run(**changes: Any) -> tuple[_Scripted, dict[str, Any]]:
        players: list[_Scripted] = []

        def player(*arguments: Any) -> _Scripted:
            players.append(_Scripted(*arguments))
            return players[0]

        monkeypatch.setattr(conducting, "Player", player)
        monkeypatch.setattr(conducting, "history_cost", no_history)
        monkeypatch.setattr(conducting, "world_alone", lambda *_: {"orders_per_s": 500.0})
        for stage in ("inline", "temporal"):
            monkeypatch.setitem(_CAPACITY, stage, _CAPACITY[stage])
        plan = load_plan([*_CAPACITY], **{"search": True, **changes})
        manifest: dict[str, Any] = {"contestants": {one.label: {} for one in plan.contestants}}
        folder = LoadFolder.create(tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
        asyncio.run(conduct(plan, folder, manifest, lambda _: None))
        return players[0], manifest

    return run


def test_everybody_plays_one_load_before_anybody_plays_the_next(scripted: Any) -> None:
    """What is compared was measured within minutes, and nobody is always first."""
    player, _ = scripted()

    rounds = [(block, label) for phase, block, label, _ in player.played if phase == "round"]
    assert rounds == [
        ("16 in flight", "inline"),
        ("16 in flight", "temporal"),
        ("50%", "temporal"),
        ("50%", "inline"),
        ("16 in flight", "temporal"),
        ("16 in flight", "inline"),
        ("50%", "inline"),
        ("50%", "temporal"),
    ]


def test_every_adapter_shows_that_it_works_before_anything_is_measured(scripted: Any) -> None:
    player, manifest = scripted()

    assert player.played[:2] == [
        ("check", "self-check", "inline", 0.0),
        ("check", "self-check", "temporal", 0.0),
    ]
    assert all(about["self_check"] == "valid" for about in manifest["contestants"].values())


def test_whose_adapter_fails_is_not_measured(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its word would be told as the engine's; nobody else is measured either, and all is stopped."""
    monkeypatch.setitem(_BROKEN, "temporal", "2 effects of charge_payment")

    with pytest.raises(BakeoffError, match=r"temporal: its self-check failed .* 2 effects of charge_payment"):
        scripted()


def test_shares_are_of_the_rate_that_was_confirmed(scripted: Any) -> None:
    player, manifest = scripted()

    for label, capacity in _CAPACITY.items():
        found = manifest["contestants"][label]["sustained"]
        assert 0.85 * capacity <= found["rate_per_s"] <= capacity
        assert (found["confirmed"], found["of"]) == (3, 3)
        half = {
            rate
            for phase, block, own, rate in player.played
            if (phase, block, own) == ("round", "50%", label)
        }
        assert half == {0.5 * found["rate_per_s"]}
    assert [phase for phase, *_ in player.played].index("confirm") > max(
        number for number, (phase, *_) in enumerate(player.played) if phase == "search"
    )


def test_without_a_search_shares_are_of_the_first_rounds_closed_loop(scripted: Any) -> None:
    """It is played anyway; no load is made for that alone."""
    player, manifest = scripted(search=False)

    assert {phase for phase, *_ in player.played} == {"check", "round"}
    for label, capacity in _CAPACITY.items():
        assert manifest["contestants"][label]["throughput_per_s"] == capacity
        rates = [rate for _, block, own, rate in player.played if (block, own) == ("50%", label)]
        assert rates == [0.5 * capacity, 0.5 * capacity]


def test_who_sustains_nothing_has_no_share_and_the_others_go_on(scripted: Any) -> None:
    player, manifest = scripted(slo_s=0.1)

    assert all(about["sustained"]["rate_per_s"] is None for about in manifest["contestants"].values())
    assert all(about["sustained"]["closest"] for about in manifest["contestants"].values())
    told = unmet_slo({**manifest, "plan": {"slo_s": 0.1}})
    assert told.startswith("--slo 0.1: nobody sustained any rate with it; closest: inline: 95th percentile")
    assert "temporal: 95th percentile of 0.20 s" in told
    assert {block for phase, block, _, _ in player.played if phase == "round"} == {"16 in flight"}
    assert manifest["complete"] is True
    assert player.ended


def test_a_pilot_says_how_many_rounds_there_are(scripted: Any) -> None:
    """Contestants that are the same in every round need no more than the least."""
    player, manifest = scripted(pilot=3)

    made = sum(
        phase == "round" and block == "50%" and label == "inline" for phase, block, label, _ in player.played
    )
    assert made == manifest["pilot"]["rounds"] >= 2


def test_where_there_is_no_time_for_more_rounds_there_is_no_pilot(scripted: Any) -> None:
    """It could only make more of them, and costs as much as a round."""
    player, manifest = scripted(pilot=3, rounds=10, within_s=60.0)

    assert "pilot" not in manifest
    assert not [phase for phase, *_ in player.played if phase == "pilot"]
    assert sum(phase == "round" for phase, *_ in player.played) == 10 * 2 * 2, "none is left out"
    assert player.round_s == manifest["round_s"] == 1.0 + LEAST_S, "but they are shorter"
