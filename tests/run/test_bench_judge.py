"""``bakeoff bench judge``: the judge finds every fate of a made-up run, however it is cut into batches."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.errors import UsageError
from bakeoff_bench.judge.synthetic import ENGINE, write_run
from bakeoff_bench.run import batches
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.result import result_of


def test_command_tells_seconds_rate_and_peak(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "judge", "--records", "3000"]) == 0

    said = "".join(capfd.readouterr())
    assert "384 sagas judged in" in said
    assert "records/s, peak" in said


@pytest.mark.parametrize("sagas", [71, 1000])
def test_neither_size_of_a_batch_nor_processes_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sagas: int
) -> None:
    """With 71 sagas there are 37 batches, enough to be judged in processes of their own."""
    made = write_run(tmp_path / "run", 20_000)
    whole = result_of(RunFolder(tmp_path / "run"))
    counts = whole["engines"][ENGINE]["counts"]
    monkeypatch.setattr(batches.Batches.__init__, "__kwdefaults__", {"ended": False, "sagas": sagas})

    assert {fate: sagas for fate, sagas in counts.items() if sagas} == made
    assert set(made) == {"completed", "compensated", "compensation_failed", "stuck", "lost"}
    assert result_of(RunFolder(tmp_path / "run")) == whole


def test_saga_that_is_planned_twice_is_damage(tmp_path: Path) -> None:
    write_run(tmp_path / "run", 100)
    plan = tmp_path / "run" / ENGINE / "plan.jsonl"
    plan.write_text(plan.read_text() + plan.read_text().splitlines()[0] + "\n")

    with pytest.raises(UsageError, match=r"plan\.jsonl is damaged"):
        result_of(RunFolder(tmp_path / "run"))


def test_damage_that_only_a_process_of_its_own_sees_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run", 20_000)
    plan = tmp_path / "run" / ENGINE / "plan.jsonl"
    first, rest = plan.read_text().split("\n", 1)
    plan.write_text(first.replace('"expected"', '"unexpected"') + "\n" + rest)
    monkeypatch.setattr(batches.Batches.__init__, "__kwdefaults__", {"ended": False, "sagas": 71})

    with pytest.raises(UsageError, match=r"plan\.jsonl is damaged"):
        result_of(RunFolder(tmp_path / "run"))


def test_charges_of_orders_that_nobody_placed_are_found(tmp_path: Path) -> None:
    write_run(tmp_path / "run", 1000)
    with sqlite3.connect(tmp_path / "run" / ENGINE / "world.db") as books:
        books.execute(
            "INSERT INTO charges (charge_id, order_id, amount_minor, state) "
            "VALUES ('x', '404', 7, 'captured')"
        )
    books.close()

    found = result_of(RunFolder(tmp_path / "run"))["engines"][ENGINE]["verdicts"]
    (conserved,) = [verdict for verdict in found if verdict["invariant"] == "I1"]
    assert conserved["validity"] == "invalid"
    assert "order 404: nobody ordered it, but its charges are {'captured': 7}" in conserved["findings"]
