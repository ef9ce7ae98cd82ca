"""Whatever takes long says so first, and meanwhile how much longer; ``--quiet`` keeps that to itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff.errors import BakeoffError
from bakeoff_bench.lines import command as lines
from bakeoff_bench.load import measuring
from bakeoff_bench.overhead import command as overhead
from bakeoff_bench.overhead.domain_cost import DomainCost
from bakeoff_bench.run import waiting
from bakeoff_bench.run.waiting import run_and_tell
from bakeoff_bench.speed import command as speed
from bakeoff_bench.speed.contract import SuiteRun

Capture = pytest.CaptureFixture[str]
_LEFT = r"(about \d+ (s|min) left|longer than expected)"


@pytest.fixture
def no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every engine is through at once; what the commands say is their own."""

    async def two_rounds(*_: object, tell: Any, **__: object) -> None:
        tell(0)
        tell(1)
        raise BakeoffError("nothing was measured")

    async def one_round(*about: Any) -> dict[str, Any]:
        about[-1]("round 1 of 1")
        return {}

    def suite(*_: object, tell: Any) -> SuiteRun:
        tell()
        return SuiteRun(1.0, green=True)

    def counted(*about: Any) -> dict[str, int]:
        about[-1](7)
        return {"signals": 3}

    monkeypatch.setattr(overhead, "domain_cost", lambda: DomainCost([1.0]))
    monkeypatch.setattr(overhead, "measure", two_rounds)
    monkeypatch.setattr(speed, "cpu_ms_per_order", lambda _: (1.0, 2.0))
    monkeypatch.setattr(speed, "_engine", one_round)
    monkeypatch.setattr(speed, "_first_settled", lambda *_: 1.0)
    monkeypatch.setattr(speed, "run_suite", suite)
    monkeypatch.setattr(lines, "_lines_of", counted)


@pytest.mark.parametrize(
    ("line", "first", "meanwhile", "found"),
    [
        (
            "overhead --rounds 2 --engine inline",
            r"inline: 2 rounds each, about \d+ s",
            "round 2 of 2",
            "services and ledger alone",
        ),
        (
            "speed --engine inline",
            r"speed of inline: about \d+ s, most of it the contract suite \(--no-contract\)",
            r"the contract suite \.\.\.",
            "inline: contract suite 1 s, green",
        ),
        (
            "lines --engine inline",
            r"the contract suite under a tracer on inline: about \d+ s",
            "7 tests so far",
            "logical lines ",
        ),
        (
            "judge --records 100",
            r"a run of 100 records is written and judged: about 0 s",
            None,
            "records/s",
        ),
    ],
    ids=lambda value: str(value).partition(" ")[0],
)
@pytest.mark.usefixtures("no_measuring")
def test_benchmarks_of_bakeoff_tell_how_long_they_take(
    capfd: Capture, line: str, first: str, meanwhile: str | None, found: str
) -> None:
    run(["bench", *line.split()])
    told = capfd.readouterr().out
    run(["--quiet", "bench", *line.split()])
    quiet = capfd.readouterr().out

    assert re.fullmatch(first, told.splitlines()[0])
    doing = rf"^inline, {_LEFT}: {meanwhile}$" if meanwhile else rf"^judging, {_LEFT} \.\.\.$"
    assert re.search(doing, told, re.MULTILINE), told
    assert found in told
    assert found in quiet
    assert "about" not in quiet
    assert not re.search(_LEFT, quiet)


def test_a_ledger_whose_judging_is_announced_is_judged(capfd: Capture) -> None:
    """The judge's process prints JSON, and whatever else it says is not for its standard output."""
    assert run(["bench", "judge", "--records", "45000"]) == 0
    assert "records/s, peak" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("expected_s", "left"), [(600.0, "about 10 min left"), (-1.0, "longer than expected")]
)
def test_a_load_owns_up_to_an_overrun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Capture, expected_s: float, left: str
) -> None:
    pytest.importorskip("pyarrow")

    async def conduct(_plan: object, _folder: object, _manifest: object, tell: Any) -> None:
        tell("celery, 10/s: open loop")

    monkeypatch.setattr("bakeoff_bench.load.conduct.conduct", conduct)
    monkeypatch.setattr("bakeoff_bench.load.manifest.manifest_of", lambda _: {})
    monkeypatch.setattr("bakeoff_bench.load.judged.judged", lambda _: {})
    monkeypatch.setattr("bakeoff_bench.load.show.show", lambda _: None)
    plan: Any = SimpleNamespace(
        load=SimpleNamespace(name="steady"), contestants=[], expected_s=lambda: expected_s
    )
    measuring.measure(plan, tmp_path / "run", None, None, None)

    assert f"\n[{left}] celery, 10/s: open loop\n" in capfd.readouterr().out


def test_who_waits_for_a_process_hears_how_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_EVERY_S", 0.02)
    heard: list[int] = []
    script = "import sys, time; time.sleep(0.3); print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = run_and_tell([sys.executable, "-c", script], lambda: heard.append(1))

    assert heard
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_who_does_not_want_to_wait_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_EVERY_S", 0.02)
    started: list[subprocess.Popen[str]] = []

    class Noted(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(KeyboardInterrupt):
        run_and_tell([sys.executable, "-c", "import time; time.sleep(60)"], interrupt)

    assert started[0].returncode is not None
