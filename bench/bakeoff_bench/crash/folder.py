"""The folder of a crash run, from which it can be resumed and judged again.

manifest.json         what was to be done, on what, with which settings
kills.jsonl           one line per kill, written when it is over
stacks/NAME/          of each stack that was brought up: world.db (services and ledger), history.jsonl, logs/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff_bench.run.journal import Journal, Layout, Row, kind_of

KIND = "crash"


class CrashFolder(Journal):
    """Where everything of one crash run lies."""

    layout = Layout(
        kind=KIND,
        format=1,
        rows="kills.jsonl",
        row="a kill",
        manifest_fields={
            "saga": dict,
            "seed": int,
            "series": list,
            "participants": str,
            "contestants": dict,
        },
        row_fields={
            "series": int,
            "contestant": str,
            "fault": str,
            "point": str,
            "outcome": str,
            "workflow_ids": list,
        },
    )

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
    return kind_of(path) == KIND
