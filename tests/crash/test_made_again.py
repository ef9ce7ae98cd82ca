"""A kill that did not land is no kill: it is made again in the same run, where nobody else is at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff.errors import UsageError
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.kill import Kills
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.record import Kill
from bakeoff_bench.crash.result import result_of

_LINE = [
    *("crash", "--engine", "inline", "--fault", "worker-kill", "--point", "charge_payment.after_effect"),
    *("--kills", "1", "--deadline", "5"),
]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A machine on which kills do not land; so many as the list says."""
    left, real = [0], Kills.kill

    async def kill(self: Kills, *arguments: Any, **more: Any) -> Kill:
        if left[0]:
            left[0] -= 1
            return Kill(outcome=KillOutcome.VOID, detail="too busy", workflow_ids=())
        return await real(self, *arguments, **more)

    monkeypatch.setattr(Kills, "kill", kill)
    return left


@pytest.mark.slow
@pytest.mark.parametrize(("misses", "rows"), [(2, ["void", "void", "lost"]), (9, ["void"] * 3)])
def test_a_void_kill_is_made_again_twice_at_the_most(
    tmp_path: Path, busy: list[int], misses: int, rows: list[str]
) -> None:
    busy[0] = misses
    assert run([*_LINE, "--out", str(tmp_path / "crash")]) == 1  # without an engine an order is lost

    folder = CrashFolder(tmp_path / "crash")
    assert [row["outcome"] for row in folder.rows()] == rows
    assert [kill["outcome"] for kill in result_of(folder)["kills"]] == rows[-1:]


def test_two_do_not_go_on_with_the_same_folder(tmp_path: Path) -> None:
    folder = CrashFolder.create(tmp_path / "crash")
    with folder.held(), pytest.raises(UsageError, match="another bakeoff is at work there"):
        CrashFolder(folder.path).held().__enter__()

    with CrashFolder(folder.path).held():
        pass
    assert sorted(path.name for path in folder.path.iterdir()) == ["kills.jsonl"]
