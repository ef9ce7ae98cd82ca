"""``bakeoff run`` over a bridge: what happens outside comes as an event, the numbers stay the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.history import read_history
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
