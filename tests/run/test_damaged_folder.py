"""``bakeoff check`` on folders that something has damaged: one line and exit code 2, never a traceback."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from tests.tiers import more

#: What may stand where something else was.
_WRONG: tuple[Any, ...] = (None, [], {}, "x", -1, [None], {"x": None})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "kept"
    assert (
        run(
            [
                "run",
                "--only",
                "sagas",
                "--engine",
                "inline",
                "--count",
                "20",
                "--rounds",
                "1",
                "--out",
                str(folder),
            ]
        )
        == 0
    )
    return folder


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "copy")


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def _first_line(name: str, text: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join([text, *lines[1:]]) + "\n")

    return damage


def _cut(name: str, at: float) -> Callable[[Path], None]:
    """Cut it to a share, or by so many bytes."""

    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(at * len(data)) if at > 0 else int(at)])

    return damage


def _without(name: str, key: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = json.loads((folder / name).read_text())
        del data[key]
        (folder / name).write_text(json.dumps(data))

    return damage


def _engine_without(key: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = json.loads((folder / "manifest.json").read_text())
        del data["engines"]["inline"][key]
        (folder / "manifest.json").write_text(json.dumps(data))

    return damage


def _without_table(folder: Path) -> None:
    database = sqlite3.connect(folder / "inline" / "world.db")
    database.execute("DROP TABLE ledger")
    database.close()


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param(_write("manifest.json", b'{"format": 1}'), "manifest.json", id="hollow manifest"),
        pytest.param(_write("manifest.json", b"[]"), "copy", id="manifest is a list"),
        pytest.param(_write("manifest.json", b"null"), "copy", id="manifest is null"),
        pytest.param(_write("manifest.json", b"\xff\x00"), "manifest.json is damaged", id="binary manifest"),
        pytest.param(_write("manifest.json", b"[" * 200_000), "manifest.json is damaged", id="deep manifest"),
        pytest.param(_engine_without("blocks"), "'blocks'", id="engine without blocks"),
        pytest.param(_engine_without("title"), "'title'", id="engine without title"),
        pytest.param(_without("manifest.json", "machine"), "'machine'", id="no machine"),
        pytest.param(_without("inline/workload.json", "stock"), "workload.json", id="no stock"),
        pytest.param(_write("inline/workload.json", b"[]"), "workload.json", id="workload is a list"),
        pytest.param(_write("inline/plan.jsonl", b"[]\n"), "plan.jsonl", id="plan of lists"),
        pytest.param(_write("inline/plan.jsonl", b"{}\n"), "plan.jsonl", id="plan of nothing"),
        pytest.param(_write("inline/history.jsonl", b"\xff\xfe\x00"), "history.jsonl", id="binary history"),
        pytest.param(_first_line("inline/history.jsonl", "[]"), "line 1", id="history of lists"),
        pytest.param(_first_line("inline/history.jsonl", '{"n": 7}'), "line 1", id="answer to nothing"),
        pytest.param(_cut("inline/history.jsonl", 0.5), "history.jsonl", id="half a history"),
        pytest.param(_cut("inline/history.jsonl", -1), "history.jsonl", id="history without its last byte"),
        pytest.param(_first_line("rejected.jsonl", "junk"), "rejected.jsonl", id="rejected junk"),
        pytest.param(_first_line("rejected.jsonl", "[]"), "rejected.jsonl", id="rejected list"),
        pytest.param(_write("inline/world.db", b"junk" * 500), "world.db", id="ledger is junk"),
        pytest.param(_without_table, "world.db", id="ledger without its table"),
        pytest.param(lambda folder: (folder / "inline/world.db").unlink(), "world.db", id="no ledger"),
        pytest.param(lambda folder: (folder / "inline/plan.jsonl").unlink(), "plan.jsonl", id="no plan"),
    ],
)
def test_one_line_names_the_damage(
    copy: Path, damage: Callable[[Path], None], named: str, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(copy)
    capfd.readouterr()

    assert run(["check", str(copy)]) == 2

    printed = capfd.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1, printed.err
    assert named in printed.err


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested JSON, of lists the first only."""
    if path:
        yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _places(value, (*path, key))
    elif isinstance(data, list) and data:
        yield from _places(data[0], (*path, 0))


def _replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(data))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", ["manifest.json", more("inline/workload.json"), more("inline/plan.jsonl"), "inline/history.jsonl"]
)
def test_no_wrong_value_in_any_place_gives_a_traceback(
    copy: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = (copy / name).read_text()
    # Of a file of lines: the first and the last are one of each kind.
    lines = [text] if name.endswith(".json") else text.splitlines()
    numbers = [0] if len(lines) == 1 else [0, 1, len(lines) - 2]
    capfd.readouterr()
    tried, values = 0, cycle(_WRONG)
    for number in numbers:
        data = json.loads(lines[number])
        for path in _places(data):
            wrong = next(values)
            damaged = [*lines[:number], json.dumps(_replaced(data, path, wrong)), *lines[number + 1 :]]
            (copy / name).write_text("\n".join(damaged) + "\n")

            code = run(["check", str(copy)])

            printed = capfd.readouterr()
            assert "Traceback" not in printed.err, (path, wrong, printed.err)
            assert code in (0, 1) or len(printed.err.splitlines()) == 1, (path, wrong, printed.err)
            tried += 1
    assert tried > 5


def test_rejected_orders_that_are_listed_nowhere_are_missed(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Their expected number is the loader's; what is counted is the list."""
    manifest = json.loads((copy / "manifest.json").read_text())
    refused = manifest["orders"]["rejected_orders"]
    (copy / "manifest.json").write_text(
        json.dumps({**manifest, "orders": {**manifest["orders"], "rejected_orders": refused + 3}})
    )
    capfd.readouterr()

    assert run(["check", str(copy), "--json", str(copy / "again.json")]) == 1

    inline = json.loads((copy / "again.json").read_text())["engines"]["inline"]
    assert (inline["counts"]["rejected"], inline["expected"]["rejected"]) == (refused, refused + 3)
    assert [v["validity"] for v in inline["verdicts"] if v["invariant"] == "I8"] == ["invalid"]
    assert f"{refused}, expected" in capfd.readouterr().out or refused == 0
