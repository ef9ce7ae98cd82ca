"""``bakeoff run`` and ``load`` over a bridge: what happens outside comes as an event, the numbers stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.checkers import Fate
from bakeoff.history import read_history
from bakeoff.world import World
from bakeoff.world.database import file_url
from tests.cli.terminal import Terminal
from tests.steady import run_steadily
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.mark.parametrize(("bridge", "emitted"), [more("in-process", False), ("nats", True)])
def test_the_carrier_confirms_by_an_event_where_there_is_a_bridge(
    tmp_path: Path, bridge: str, emitted: bool
) -> None:
    """One that comes after the reminder is a signal: right after the start its event would be early."""
    terminal = Terminal(tmp_path)
    line = "bakeoff run --saga fulfilment --only sagas --engine inline --count 20 --no-report"
    line += f" --bridge {bridge} --out run --json result.json"
    done = run_steadily(terminal, line, makes=["run", "result.json"])
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((terminal.folder / "result.json").read_text())
    (about,) = result["engines"].values()
    assert about["validity"] == "valid"

    (file,) = terminal.folder.joinpath("run").rglob("history.jsonl")
    told = [one for one in read_history(file) if one.name in ("emit", "signal")]
    assert {one.completion for one in told} == {"ok"}
    events, signals = ([one for one in told if one.name == name] for name in ("emit", "signal"))
    if emitted:
        assert {one.value for one in events} == {"deliveryConfirmed"}
        assert len(events) > len(signals)
    else:
        assert events == []
        assert signals


def test_a_load_is_borne_by_services(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    line = "bakeoff load --engine inline --bridge nats --rate 5 --duration 4 --warm-up 1 --rounds 1"
    done = run_steadily(
        terminal, f"{line} --out kept --json load.json --no-report", makes=["kept", "load.json"]
    )
    result = json.loads((terminal.folder / "load.json").read_text())

    assert result["validity"] == "valid", done.stdout + done.stderr
    (about,) = result["contestants"].values()
    assert about["counts"][str(Fate.COMPLETED)] > 5
    assert list(result["contestants"]) == ["inline over nats"]
    (kept,) = terminal.folder.joinpath("kept").rglob("world.db")
    world = World.open(file_url(kept))
    records = world.ledger()
    world.close()
    attempted, acted = ({one.pid for one in records if one.kind == kind} for kind in ("attempt", "effect"))
    assert len(acted) == 4, "four services have acted"
    assert not attempted & acted
    assert terminal.leftovers() == []
