"""The state folder belongs to one ``bakeoff up`` at a time and vanishes with it."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bakeoff.cli.state import Running, held_state, is_held, read_state, write_state
from bakeoff.errors import UsageError
from tests.processes.traces import until


def _running(host: str | None = None, **deployments: str) -> Running:
    return Running(
        pid=os.getpid(), host=host or socket.gethostname(), deployments=deployments or {"x": "f"}, pages={}
    )


def test_it_is_found_while_it_is_held_and_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with held_state(folder):
        write_state(folder, _running(one="a.json"))
        assert read_state(folder) == _running(one="a.json")
        assert is_held(folder, socket.gethostname())

    assert not folder.exists()
    with pytest.raises(UsageError, match="nothing is up"):
        read_state(folder)


def test_the_users_own_files_stay(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with held_state(tmp_path):
        write_state(tmp_path, _running())

    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_two_cannot_hold_it(tmp_path: Path) -> None:
    with held_state(tmp_path), pytest.raises(UsageError, match="is running in"), held_state(tmp_path):
        pass


def test_what_a_killed_one_left_is_recognised_and_replaced(tmp_path: Path) -> None:
    write_state(tmp_path, _running())
    (tmp_path / "up.lock").touch()

    with pytest.raises(UsageError, match="is gone"):
        read_state(tmp_path)
    with held_state(tmp_path), pytest.raises(UsageError, match="still starting"):
        read_state(tmp_path, 0.2)


def test_one_that_is_still_starting_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held_state(tmp_path), ThreadPoolExecutor() as pool:
        found = pool.submit(read_state, tmp_path)
        until(lambda: "is still starting" in capsys.readouterr().err, "it has begun to wait")
        write_state(tmp_path, _running(one="a.json"))

        assert found.result(10) == _running(one="a.json")


def test_another_host_is_believed(tmp_path: Path) -> None:
    """Its locks cannot be seen from here."""
    write_state(tmp_path, _running(host="elsewhere.example"))

    assert read_state(tmp_path).host == "elsewhere.example"


def test_with_one_engine_the_choice_is_implied(tmp_path: Path) -> None:
    one, two = _running(a="a.json"), _running(a="a.json", b="b.json")

    assert one.deployment_file(None) == Path("a.json")
    assert two.deployment_file("b") == Path("b.json")
    with pytest.raises(UsageError, match=r"several engines are up \(a, b\)"):
        two.deployment_file(None)
    with pytest.raises(UsageError, match="'c' is not up here; up: a, b"):
        two.deployment_file("c")
