"""What people see: tables on a terminal of 80 columns, colour there, and none where nobody wants it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tarfile
import termios
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.cli import screen
from bakeoff.cli.columns import GAP, parts
from bakeoff.cli.main import run
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.contestants import Options
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.manifest import manifest_of
from bakeoff_bench.crash.profiles import TWO_POINTS, Part
from tests.cli.terminal import Terminal

_ROOT = Path(__file__).parents[2]
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: Foreground and background, of 8, 16, 256 or all colours.
_COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
_ENGINES = ("celery", "celery-sagalog", "choreography", "dramatiq", "inline", "temporal")


def _typed(
    folder: Path,
    line: list[str],
    columns: int = 80,
    environ: Mapping[str, str] | None = None,
    module: str = "bakeoff",
) -> str:
    """Run a command at a terminal of so many columns; return what it shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    popen = subprocess.Popen(
        [sys.executable, "-m", module, *line],
        cwd=folder,
        env={**kept, "TERM": "xterm-256color", **(environ or {})},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    try:
        while block := os.read(master, 65_536):
            shown += block
    except OSError:  # Linux says so at the end of a terminal
        pass
    finally:
        os.close(master)
        popen.wait(60)
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored crash run of every engine, side by side: the widest table that there is."""
    asked = Asked(
        saga="order",
        options=Options(engines=_ENGINES, brokers=("valkey",)),
        parts=[
            Part(
                config=ConfigClass.RECOMMENDED,
                faults=("worker-kill",),
                points=TWO_POINTS,
                kills=1,
                deadline_s=60,
            )
        ],
        seed=1,
        lanes=1,
        participants="idempotent",
    )
    plan = asked.plan()
    folder = CrashFolder.create(tmp_path_factory.mktemp("crashed") / "run")
    folder.write_manifest(manifest_of(asked, plan))
    for one in plan.series[0].contestants:
        for point in TWO_POINTS:
            lost = one.engine.name == "inline"
            folder.append(_kill(one.label, point, "lost" if lost else "would have duplicated"))
    return folder.path


def _kill(contestant: str, point: str, outcome: str) -> dict[str, Any]:
    after_s = None if outcome == "lost" else 12.3
    return {
        **{"series": 0, "contestant": contestant, "engine": contestant.partition("[")[0]},
        **{"fault": "worker-kill", "point": point, "outcome": outcome, "detail": "", "workflow_ids": ["x"]},
        **{"stack": "gone", "deadline_s": 60.0, "lease_s": None, "open": False, "in_flight": 3},
        **{"detection_s": after_s, "first_progress_s": after_s, "recovery_s": after_s, "extra_attempts": {}},
        **{"planned": [], "last_seq": 0, "ended": [1], "seen": "", "struck_pid": 1, "landed_at": 0.0},
    }


def test_the_widest_matrix_can_be_read_at_80_columns(crashed: Path) -> None:
    """Names stay whole, and each part of the table says what its rows are about."""
    shown = _ESCAPE.sub("", _typed(crashed.parent, ["check", crashed.name]))
    matrix = shown[: shown.index("seconds: median")]

    assert max(map(len, matrix.splitlines())) <= 80
    heads = [line for line in matrix.splitlines() if line.startswith("worker-kill, recommended")]
    assert len(heads) > 1
    for label in ("celery[valkey]", "celery-sagalog", "choreography", "dramatiq[valkey]", "inline"):
        assert sum(label in head for head in heads) == 1, matrix
    for point in TWO_POINTS:
        assert sum(line.startswith(f"{point} ") for line in matrix.splitlines()) == len(heads)
    assert "duplicated" in matrix


def test_the_same_matrix_is_one_table_where_there_is_room(crashed: Path) -> None:
    shown = _ESCAPE.sub("", _typed(crashed.parent, ["check", crashed.name], columns=250))

    assert shown.count("worker-kill, recommended") == 1


def test_judging_many_kills_again_is_announced(
    crashed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bakeoff_bench.crash.check._KILL_S", 1.0)
    run(["check", str(crashed)])
    told = capsys.readouterr().out

    assert re.search(r"^judging \d+ kills again: about \d+ s \.\.\.$", told, re.MULTILINE)


@pytest.mark.parametrize("line", ["scenarios", "ordeal", "sweep", "engines", "crash --help", "run --help"])
def test_lists_and_help_fit_80_columns(tmp_path: Path, line: str) -> None:
    shown = _ESCAPE.sub("", _typed(tmp_path, line.split()))
    tables = [text for text in shown.splitlines() if "  " in text.strip()]

    assert tables
    assert max(map(len, tables)) <= 80, max(tables, key=len)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a stored load run."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("stored")
    with tarfile.open(_ROOT / "tests" / "runs" / "load-format-1.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    return folder


def _lines_of_tables(shown: str) -> list[str]:
    """Not the sentences, which the terminal breaks."""
    return [text.rstrip() for text in _ESCAPE.sub("", shown).splitlines() if "  " in text.strip()]


@pytest.mark.parametrize(
    "line",
    [
        "check run",
        "compare run run",
        "decide requirements/critical.toml results/facts.json",
        "decide requirements/days.toml results/facts.json",
    ],
)
def test_tables_of_stored_runs_fit_80_columns(stored: Path, line: str) -> None:
    known = {"requirements": _ROOT / "docs" / "examples", "results": _ROOT / "docs"}
    words = [str(known[word.split("/")[0]] / word) if "/" in word else word for word in line.split()]
    tables = _lines_of_tables(_typed(stored, words))

    assert len(tables) > 5
    assert max(map(len, tables)) <= 80, max(tables, key=len)


def test_each_part_of_a_comparison_says_what_its_rows_are_about(stored: Path) -> None:
    tables = _lines_of_tables(_typed(stored, ["compare", "run", "run"]))
    heads = [text.split() for text in tables if text.startswith("contestant ")]

    assert len(heads) > 1
    assert all(head[:3] == ["contestant", "block", "what"] for head in heads)


@pytest.mark.parametrize(("shows", "result"), [("load", "load.json"), ("overhead", "overhead.json")])
def test_tables_of_a_large_result_fit_80_columns(
    shows: str, result: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every engine on every broker: what the command prints at its end."""
    show = import_module(f"bakeoff_bench.{shows}.show").show
    monkeypatch.setattr(screen, "_PIPE_WIDTH", 80)
    show(json.loads((_ROOT / "docs" / "results" / result).read_text()))
    tables = _lines_of_tables(capsys.readouterr().out)

    assert len(tables) > 100
    assert max(map(len, tables)) <= 80, max(tables, key=len)


def test_the_contract_matrix_fits_80_columns(tmp_path: Path) -> None:
    """``--setup-plan`` starts nothing: what an engine does not support is known without."""
    line = ["-p", "no:cacheprovider", "--engine=all", "--setup-plan", "-k", "event_history or scheduler"]
    shown = _ESCAPE.sub("", _typed(tmp_path, line, module="pytest"))
    matrix = shown[shown.index("contract matrix") : shown.index("- not supported, ?")].splitlines()[1:]

    assert "1 celery[valkey]" in matrix
    assert [text for text in matrix if text.startswith("event_history_of_an_unknown_saga ")]
    assert max(map(len, matrix)) <= 80


def test_colour_is_for_terminals_that_want_it(crashed: Path, tmp_path: Path) -> None:
    line = ["check", str(crashed)]

    assert _COLOUR.search(_typed(tmp_path, line))
    assert not _COLOUR.search(_typed(tmp_path, line, environ={"NO_COLOR": "1"}))
    piped = Terminal(tmp_path).run(line)
    assert "lost" in piped.stdout
    assert "\x1b" not in piped.stdout + piped.stderr


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_refusal_has_colour_where_it_is_wanted(
    tmp_path: Path, environ: dict[str, str], coloured: bool
) -> None:
    shown = _typed(tmp_path, ["crash", "--fault", "meteor"], environ=environ)

    assert "there is no such fault" in _ESCAPE.sub("", shown)
    assert bool(_COLOUR.search(shown)) == coloured


@given(
    columns=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)), min_size=1, max_size=9),
    width=st.integers(40, 200),
    keys=st.integers(1, 2),
)
@settings(deadline=None)
def test_no_column_is_lost_and_no_part_is_too_wide(
    columns: list[tuple[int, int]], width: int, keys: int
) -> None:
    """Columns of so many words of so many letters, some of them two places wide."""
    row = [" ".join(["世" * (letters % 3) + "x" * letters] * words) for letters, words in columns]
    found = list(parts([""] * len(row), [row], width, keys))
    first = min(keys, len(columns))

    assert [number for together, _ in found for number in together[first:]] == [*range(first, len(columns))]
    for together, widths in found:
        assert together[:first] == [*range(first)]
        assert min(widths) >= 1
        before = sum(widths[:-1]) + GAP * (len(widths) - 1)
        # Unless what the rows are about fills the line already.
        assert before + widths[-1] <= max(width, before + 1)
