"""What the contract suite keeps says by itself of which day, machine and bakeoff it is."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bakeoff.contract.results import Result, Results
from bakeoff.contract.statuses import ContractStatus
from bakeoff.machine import machine


def test_results_name_day_machine_version_and_command(tmp_path: Path) -> None:
    results = Results(tmp_path / "none.json")
    passed = ContractStatus.PASSED
    results.add(Result(test="test_x::test_y", label="inline", status=passed, promise="It acts.", needs=()))

    found = results.to_json({"inline": {}}, "pytest --engine=inline")

    age = datetime.now(UTC) - datetime.fromisoformat(found["created_at"])
    assert 0 <= age.total_seconds() < 60
    assert found["created_at"].endswith("+00:00")
    assert "." not in found["created_at"]
    assert found["machine"] == machine()
    assert found["bakeoff"] == version("bakeoff")
    assert found["command"] == "pytest --engine=inline"


def test_a_machine_is_what_a_report_asks_of_it() -> None:
    found = machine()

    assert found["cpus"] > 0
    assert found["memory_bytes"] > 0
    assert found["system"]
    assert found["python"]
