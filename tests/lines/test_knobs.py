"""Which settings each capability takes: what is shipped, what is recommended, and where nothing is to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.engine import Capability, Survives
from bakeoff.settings import Setting
from bakeoff_bench.lines import command
from bakeoff_bench.lines.knobs import TUNING, by_need, declared, is_changed

_KILL = Survives.STEP_KILL
SETTINGS = [
    Setting(name="lease", help="s", default=3600.0, recommended=60.0, ci=5.0, serves=(_KILL,)),
    Setting(name="late", help="ack", default=False, recommended=True, ci=True, serves=(_KILL,)),
    Setting(name="margin", help="s", default=10.0, recommended=10.0, ci=4.0, serves=(Capability.TIMEOUT,)),
    Setting(name="polls", help="n", default=20, recommended=2000, ci=2000, tuning=True),
    Setting(name="url", help="own", default="", recommended="", ci="", secret=True),
]


def test_settings_stand_with_what_they_serve_as_shipped_and_as_recommended() -> None:
    assert by_need(declared(SETTINGS)) == {
        "step_kill": ["lease 3600 -> 60", "late false -> true"],
        "timeout": ["margin 10"],
        TUNING: ["polls 20 -> 2000"],
    }
    assert [one["name"] for one in declared(SETTINGS) if is_changed(one)] == ["lease", "late", "polls"]


def test_the_command_names_settings_beside_lines_and_keeps_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of each engine that was counted; the contract suite itself is another test's business."""
    monkeypatch.setattr(command, "_lines_of", lambda one, sets, tell: {"timeout": 7})
    line = ["bench", "lines", "--engine", "dramatiq", "--engine", "temporal"]

    assert run([*line, "--json", str(tmp_path / "lines.json")]) == 0

    words = " ".join(capfd.readouterr().out.split())
    kept = json.loads((tmp_path / "lines.json").read_text())
    assert "timeout dramatiq time_limit_interval_ms 1000 -> 100" in words
    assert "timeout temporal timer_shift_ms 1000 -> 10, release_overrun_slots false -> true" in words
    assert kept["engines"] == {"dramatiq": {"timeout": 7}, "temporal": {"timeout": 7}}
    assert {one["name"] for one in kept["settings"]["temporal"]} >= {"database", "sandbox"}
    assert "api_key" not in repr(kept)
