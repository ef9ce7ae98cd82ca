"""Whose turn it is goes on, and nobody else; in the end all do, so that they can end in order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bakeoff_bench.load import player as playing
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.order import MOST_PER_S
from bakeoff_bench.load.play import ran_dry
from bakeoff_bench.load.player import Player
from tests.load.plans import load_plan


class _Noted:
    """Stands where ``Standstill`` does: says what became of whom."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def stop(self, label: str, _: object) -> None:
        self.said.append(f"{label} stands")

    def go_on(self, label: str) -> None:
        self.said.append(f"{label} goes on")

    def all_go_on(self) -> None:
        self.said.append("all go on")


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> _Noted:
    still = _Noted()

    @asynccontextmanager
    async def staged(chosen: str, *_: object, **__: object) -> Any:
        still.said.append(f"{chosen} is up")
        stack = SimpleNamespace(versions=dict, deployment=None)
        yield SimpleNamespace(stack=stack)

    monkeypatch.setattr(playing, "Standstill", lambda: still)
    monkeypatch.setattr(playing, "staged", staged)
    monkeypatch.setattr(playing, "left_of", lambda _: {})
    monkeypatch.setattr(playing, "keep_worlds", lambda worlds: None)
    return still


def _played(folder: Path, *labels: str) -> None:
    plan: Any = SimpleNamespace(
        contestants=[SimpleNamespace(label=label, slug=label, chosen=label) for label in labels],
        **dict.fromkeys(
            ("load", "saga", "references", "seed", "workers", "slots", "ledger", "prefix", "fault")
        ),
        **dict.fromkeys(("cpus", "bridge", "otlp", "quality")),
    )
    manifest: dict[str, Any] = {"contestants": {label: {} for label in labels}}
    player = Player(plan, LoadFolder.create(folder), manifest, lambda _: None)

    async def play() -> None:
        async with AsyncExitStack() as stacks:
            await player.begin(stacks)
            with player.turn_of(labels[0]):
                pass
            player.end()

    asyncio.run(play())


def test_all_are_up_before_anybody_has_a_turn(tmp_path: Path, noted: _Noted) -> None:
    _played(tmp_path / "run", "a", "b")

    assert noted.said == [
        *("a is up", "a stands", "b is up", "b stands"),
        *("a goes on", "a stands"),
        "all go on",
    ]


def test_whoever_is_alone_disturbs_nobody(tmp_path: Path, noted: _Noted) -> None:
    _played(tmp_path / "run", "a")

    assert "a stands" not in noted.said


def test_a_closed_loop_gets_what_it_may_need(tmp_path: Path) -> None:
    """As much as anybody can take where nothing is known: one saga at a time says nothing of sixteen."""
    plan = load_plan(["inline"], blocks=[], rounds=1)
    about: dict[str, Any] = {"self_check": "valid"}
    player = Player(
        plan, LoadFolder.create(tmp_path / "run"), {"contestants": {"inline": about}}, lambda _: None
    )
    closed = player.order("inline", 0.0, "round", 0, users=16)
    unknown = closed.sagas
    about["throughput_per_s"] = 100.0
    known = player.order("inline", 0.0, "round", 1, users=16).sagas

    assert unknown == 10 * MOST_PER_S
    assert 2 * 1000 <= known < unknown
    assert ran_dry(closed, 6.0, warm_up_s=1.0) == []
    assert ran_dry(closed, 5.0, warm_up_s=1.0) == ["the closed loop had no sagas left after 5.0 s"]


def test_where_time_is_short_the_loads_of_rounds_are_shorter_and_no_others(tmp_path: Path) -> None:
    plan = load_plan(["inline"], rounds=10)
    about: dict[str, Any] = {"contestants": {"inline": {"throughput_per_s": 100.0}}}
    player = Player(plan, LoadFolder.create(tmp_path / "run"), about, lambda _: None)
    player.round_s = 6.0

    assert player.order("inline", 50.0, "round", 0).seconds == 6.0
    assert player.order("inline", 0.0, "round", 0, users=16).seconds == 6.0
    assert player.order("inline", 50.0, "search", 0).seconds == plan.seconds
    assert player.order("inline", 50.0, "confirm", 0).seconds == 2 * plan.seconds
