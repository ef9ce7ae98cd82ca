"""A plug-in that hangs: whoever waits for it comes to an end, and says what was not answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bakeoff import patience
from bakeoff.cli.main import run
from bakeoff.plugins import Plugins

_ENGINES = """
import asyncio
from dataclasses import replace
from bakeoff import hookimpl
from bakeoff_inline.client import InlineClient
from bakeoff_inline.engine import InlineEngine


async def hang(*_, **__):
    await asyncio.sleep(3600)


class Hanging(InlineEngine):
    def __init__(self, where):
        self.where = where
        self.name = f"hangs-at-{where}"

    async def connect(self, deployment):
        if self.where == "connect":
            await hang()
        client = await super().connect(deployment)
        setattr(client, self.where, hang)
        return client

    @hookimpl
    def bakeoff_engine(self):
        return self


connect, start, close = (Hanging(where) for where in ("connect", "start", "close"))
"""


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three engines of a stranger, and little patience."""
    site = tmp_path / "site"
    (site / "hanging-1.0.dist-info").mkdir(parents=True)
    about = "Metadata-Version: 2.1\nName: hanging\nVersion: 1.0\n"
    (site / "hanging-1.0.dist-info" / "METADATA").write_text(about)
    names = ("connect", "start", "close")
    points = "".join(f"hangs-at-{name} = hanging_engines:{name}\n" for name in names)
    (site / "hanging-1.0.dist-info" / "entry_points.txt").write_text(f"[bakeoff.engines]\n{points}")
    (site / "hanging_engines.py").write_text(_ENGINES)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(patience, "ANSWER_WITHIN_S", 3.0)
    monkeypatch.setattr(patience, "CLOSE_WITHIN_S", 3.0)


@pytest.mark.usefixtures("hanging")
def test_one_that_does_not_connect_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--only", "sagas", "--engine", "hangs-at-connect", "--count", "2"]) == 2

    told = capfd.readouterr().err
    assert "hangs-at-connect: connect() was not answered within 3 s" in told
    assert "Traceback" not in told


@pytest.mark.usefixtures("hanging")
def test_starts_that_are_not_answered_are_unknown_and_the_run_ends(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    line = [
        "run",
        "--only",
        "sagas",
        "--engine",
        "hangs-at-start",
        "--count",
        "3",
        "--rounds",
        "1",
        "--json",
        str(out),
    ]

    assert run(line) == 1
    about = json.loads(out.read_text())["engines"]["hangs-at-start"]
    assert about["counts"]["start_unknown"] == sum(about["counts"].values()) > 0


@pytest.mark.usefixtures("hanging")
def test_one_that_does_not_close_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    assert run(["run", "--only", "sagas", "--engine", "hangs-at-close", "--count", "3", "--rounds", "1"]) == 0
    assert "hangs-at-close: close() was not answered within 3 s" in caplog.text


def test_what_an_engine_itself_calls_a_timeout_passes_through() -> None:
    async def act() -> None:
        async with patience.in_time("start()", 5):
            raise TimeoutError("the server's own")

    with pytest.raises(TimeoutError, match="the server's own"):
        asyncio.run(act())


@pytest.mark.usefixtures("hanging")
def test_all_of_them_are_engines() -> None:
    assert {f"hangs-at-{name}" for name in ("connect", "start", "close")} <= {*Plugins().engine_names()}
