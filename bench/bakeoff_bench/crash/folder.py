"""The folder of a crash run, from which it can be resumed and judged again.

manifest.json         what was to be done, on what, with which settings
kills.jsonl           one line per kill, written when it is over
stacks/NAME/          of each stack that was brought up: world.db (services and ledger), history.jsonl, logs/
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff_bench.run import stored

FORMAT = 1
KIND = "crash"
_MANIFEST, _KILLS = "manifest.json", "kills.jsonl"

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "saga": dict,
    "seed": int,
    "series": list,
    "participants": str,
    "contestants": dict,
}
_ROW: Mapping[str, type | tuple[type, ...]] = {
    "series": int,
    "contestant": str,
    "fault": str,
    "point": str,
    "outcome": str,
    "workflow_ids": list,
}

Row = dict[str, Any]


class CrashFolder:
    """Where everything of one crash run lies."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> CrashFolder:
        """Make the folder.

        Raises:
            UsageError: If it is used already or cannot be written.
        """
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise UsageError(f"--out {path}: it exists already and is not empty; name a new folder")
            path.mkdir(parents=True, exist_ok=True)
            (path / _KILLS).touch()
        except OSError as error:
            raise UsageError(f"--out {path}: cannot be written ({error.strerror})") from error
        return cls(path)

    @property
    def stacks(self) -> Path:
        """Where stacks have their folders."""
        return self.path / "stacks"

    def new_stack(self, slug: str) -> Path:
        """A folder for a stack that is brought up now; a resumed run brings up new ones."""
        number = 1
        while (self.stacks / f"{slug}-{number}").exists():
            number += 1
        folder = self.stacks / f"{slug}-{number}"
        folder.mkdir(parents=True)
        return folder

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        unfinished = self.path / f"{_MANIFEST}.new"
        unfinished.write_text(
            json.dumps({"format": FORMAT, "kind": KIND, **manifest}, indent=2, default=str) + "\n"
        )
        unfinished.replace(self.path / _MANIFEST)

    def manifest(self) -> dict[str, Any]:
        """Read the manifest.

        Raises:
            UsageError: If this is no folder of a crash run, or one of another format.
        """
        try:
            manifest = json.loads((self.path / _MANIFEST).read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{self.path} is no folder of a crash run: {error}") from error
        found = (manifest.get("kind"), manifest.get("format")) if isinstance(manifest, dict) else None
        if found != (KIND, FORMAT):
            raise UsageError(f"{self.path} is no folder of a crash run of format {FORMAT}, but {found}")
        with stored.reading(self.path / _MANIFEST):
            stored.check("the manifest", manifest, _KINDS)
        return dict(manifest)

    def append(self, row: Row) -> None:
        """Write one kill down, at once."""
        with (self.path / _KILLS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")

    def rows(self) -> list[Row]:
        """Every kill so far; a torn last line (the harness died) is left out, and cut off the file.

        Raises:
            UsageError: If the file is damaged elsewhere.
        """
        file = self.path / _KILLS
        with stored.reading(file):
            text = file.read_text(encoding="utf-8")
            whole, newline, torn = text.rpartition("\n")
            if torn:
                file.write_text(whole + newline, encoding="utf-8")
            rows: list[Row] = [json.loads(line) for line in whole.splitlines()]
            for row in rows:
                stored.check("a kill", row, _ROW)
        return rows


def standing(rows: Sequence[Row], series: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The kills that count: one that did not land is left out once it has been made again.

    Args:
        rows: All kills, in the order in which they were made.
        series: The blocks of the manifest; ``kills`` says how many a cell is to have.
    """
    left: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        left[_cell(row)] += row["outcome"] != "void"
    kept = []
    for row in rows:
        cell = _cell(row)
        if row["outcome"] == "void":
            if left[cell] >= series[row["series"]]["kills"]:
                continue
            left[cell] += 1
        kept.append(row)
    return kept


def _cell(row: Row) -> tuple[Any, ...]:
    return row["series"], row["contestant"], row["fault"], row["point"]


def is_crash_folder(path: Path) -> bool:
    """Whether ``bakeoff crash`` or ``bakeoff sweep`` wrote this folder."""
    try:
        manifest = json.loads((path / _MANIFEST).read_text())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND
