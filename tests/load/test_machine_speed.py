"""A machine that others have slowed down is seen, waited for, and voids what is to be published."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff_bench.load import machine_speed
from bakeoff_bench.load.bystanders import Beside, Bystanders
from bakeoff_bench.load.conduct import conduct
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.machine_speed import FAST, SLOW, MachineSpeed, nearer_to_usual, unusual
from bakeoff_bench.load.manifest import manifest_of
from bakeoff_bench.load.measured import Measured
from bakeoff_bench.load.pace import Pace
from bakeoff_bench.load.plan import Block
from bakeoff_bench.load.search import answers, search
from tests.load.measuring import measured
from tests.load.plans import load_plan


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> MachineSpeed:
    """Of a machine without affinity, whose looks are told in advance; nothing is waited for in fact."""
    monkeypatch.setattr(machine_speed, "_PIECES", 1)
    monkeypatch.setattr(machine_speed, "_SURE", 1)
    monkeypatch.setattr(machine_speed, "_PAUSE_S", 0.0)

    async def at_once(_: float) -> None:
        pass

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return MachineSpeed(None)


def _half(speed: MachineSpeed) -> float:
    speed.share = 0.5
    return speed.share


def _takes(monkeypatch: pytest.MonkeyPatch, seconds: Sequence[float]) -> None:
    coming = iter(seconds)
    monkeypatch.setattr(machine_speed, "_piece_s", lambda: next(coming))


def test_it_is_held_against_its_usual_speed(speed: MachineSpeed, monkeypatch: pytest.MonkeyPatch) -> None:
    _takes(monkeypatch, [1.0, 1.0, 1.1, 2.0, 1.0])
    looks = [round(speed.look(), 2) for _ in range(5)]

    assert looks == [1.0, 1.0, 0.91, 0.53, 1.0]
    assert speed.to_json() == {"lowest": 0.5, "highest": 1.0, "looks": 5, "waited_s": 0.0, "usual_s": 1.0}


def test_a_moment_that_somebody_else_took_is_no_slow_machine(
    speed: MachineSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_speed, "_SURE", 3)
    _takes(monkeypatch, [1.0, 1.0, 2.0, 1.0, 2.0, 2.0, 2.0])

    assert [speed.look() for _ in range(3)] == [1.0, 1.0, 1.0]
    assert speed.look() == 0.5, "three looks in a row"


def test_a_laptop_that_has_become_warm_is_itself_after_a_while(
    speed: MachineSpeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _takes(monkeypatch, [1.0] * 10 + [2.0] * 11)
    looks = [speed.look() for _ in range(21)]

    assert looks[10] < SLOW
    assert looks[-1] == 1.0


@pytest.mark.parametrize(("took_s", "share"), [(2.0, "50%"), (0.5, "200%")])
def test_a_load_waits_until_the_machine_is_back(
    speed: MachineSpeed, monkeypatch: pytest.MonkeyPatch, took_s: float, share: str
) -> None:
    _takes(monkeypatch, [1.0, 1.0, 1.0, took_s, took_s, 1.0])
    told: list[str] = []
    for _ in range(4):
        speed.look()
    asyncio.run(speed.come_back(told.append))

    assert told == [f"waiting: this machine runs at {share} of its usual speed"] * 2
    assert speed.share == 1.0
    assert speed.to_json()["waited_s"] == 10.0
    assert speed.to_json()["looks"] == 4, "what is waited for does not become usual by it"


def test_it_is_known_before_the_first_load(speed: MachineSpeed, monkeypatch: pytest.MonkeyPatch) -> None:
    _takes(monkeypatch, [2.0, *[1.0] * 9])
    asyncio.run(speed.get_to_know())

    assert speed.look() == 1.0, "not twice as fast as the first look"


def test_it_waits_for_a_while_only(speed: MachineSpeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute for a load, ten for a run: the machine may stay as it is."""
    _takes(monkeypatch, [1.0] * 1000 + [2.0] * 500)
    for _ in range(1001):
        speed.look()
    told: list[str] = []
    asyncio.run(speed.come_back(told.append))
    once = len(told)
    for _ in range(20):
        asyncio.run(speed.come_back(told.append))

    assert once == 12
    assert len(told) == 120
    assert speed.to_json()["looks"] == 1001 + 120, "what does not come back becomes usual"
    assert speed.to_json()["waited_s"] == 600.0


def test_a_look_times_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that ticks with every turn of it: a real one also tells what else the machine does."""
    done, loads = [0.0], json.loads

    def turn(text: str) -> object:
        done[0] += 1.0
        return loads(text)

    monkeypatch.setattr(machine_speed, "json", SimpleNamespace(dumps=json.dumps, loads=turn))
    monkeypatch.setattr(
        machine_speed, "time", SimpleNamespace(perf_counter=lambda: done[0], sleep=lambda _: None)
    )
    speed = MachineSpeed(None)

    assert speed.look() == 1.0
    monkeypatch.setattr(machine_speed, "_TURNS", 4 * machine_speed._TURNS)
    assert speed.look() == 0.625, "four times the work: 1,600 turns, where the median is 1,000"


@pytest.mark.parametrize(
    ("before", "after", "during"), [(0.5, 0.6, 0.6), (0.5, 1.0, 1.0), (1.6, 1.5, 1.5), (1.6, 0.9, 0.9)]
)
def test_a_load_had_the_speed_that_it_was_slow_or_fast_at_both_ends(
    before: float, after: float, during: float
) -> None:
    assert nearer_to_usual(before, after) == nearer_to_usual(after, before) == during


def test_what_a_slow_machine_did_is_no_answer_of_an_engine() -> None:
    assert unusual(SLOW) == unusual(FAST) == []
    assert unusual(0.5) == ["this machine ran at 50% of its usual speed"]
    assert unusual(1.6) == ["this machine ran at 160% of its usual speed"]
    assert not answers(measured(kept_up=False, void=unusual(0.5), disturbed=True))
    assert answers(measured(kept_up=False, void=["starts were up to 9.00 s late"]))


def test_a_search_that_the_machine_ended_says_so() -> None:
    async def probe(rate: float) -> Measured:
        return measured(offered_per_s=rate, settled_per_s=rate, void=unusual(0.5), disturbed=True)

    found = asyncio.run(search(probe, 50.0, 2.0))

    assert found.bound == "machine"
    assert found.rate_per_s is None


@pytest.mark.service
@pytest.mark.parametrize("others", [0.0, 0.5], ids=["slow", "others"])
@pytest.mark.parametrize(("quality", "counts"), [("publishable", False), ("as asked", True)])
def test_only_what_is_to_be_published_is_void_on_a_disturbed_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quality: str, counts: bool, others: float
) -> None:
    """A real load, on a machine that is always at half its speed, or half of which others use."""
    beside, told, paced = Beside(others=others, stolen=None), list[str](), list[tuple[float, float]]()
    if not others:
        monkeypatch.setattr(MachineSpeed, "look", _half)
    monkeypatch.setattr(machine_speed, "_EACH_S", 0.0)
    monkeypatch.setattr(machine_speed, "_APART_S", 0.0)
    monkeypatch.setattr(Bystanders, "seen", lambda *_: beside)
    monkeypatch.setattr(Pace, "saw", lambda _, label, took_s, seconds: paced.append((took_s, seconds)))
    blocks = [Block(name="20/s", rate=20.0)]
    plan = load_plan(["inline"], blocks=blocks, rounds=1, seconds=1.0, quality=quality)
    folder, manifest = LoadFolder.create(tmp_path / "run"), manifest_of(plan)
    asyncio.run(conduct(plan, folder, manifest, told.append))
    found, *again = [row["measured"] for row in folder.rows() if row["phase"] == "round"]
    why = (beside.void() or unusual(0.5))[0]

    assert found["beside"]["others"] == others
    assert others or found["beside"]["speed"] == 0.5
    assert len(again) == (0 if counts else 1), "what others did costs nobody a round, if once more helps"
    assert found["disturbed"] is not counts
    assert (why in found["void"]) is not counts
    assert any(why in line for line in told) is not counts
    assert len(paced) == len(folder.rows())
    assert all(took_s > seconds for took_s, seconds in paced), "a generator starts, and sagas end"
