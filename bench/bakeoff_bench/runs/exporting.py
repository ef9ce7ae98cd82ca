"""Tables of a load run as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.run.journal import Row
from bakeoff_bench.run.stored import reading


def export_csv(run: Path, what: str, file: Path) -> int:
    """Write ``loads``, ``samples`` or ``resources``; return the number of rows.

    Raises:
        UsageError: If the run is damaged.
    """
    with reading(run):
        folder = LoadFolder(run)
        contestants = folder.manifest()["contestants"]
        slugs = {label: about["slug"] for label, about in contestants.items()}
        notes = {label: about["note"] for label, about in contestants.items()}
        rows = folder.rows()
        table = (
            (_load(row, notes[row["contestant"]]) for row in rows)
            if what == "loads"
            else (one for row in rows for one in _stored(folder, slugs, row, f"{what}.parquet"))
        )
        return _write(table, file)


def _load(row: Row, note: str) -> dict[str, Any]:
    """One load, its numbers side by side; a distribution's are called ``NAME.p50``.

    The note belongs beside every number of a server that stands in for another one.
    """
    measured = row["measured"]
    found = {name: row[name] for name in ("contestant", "phase", "block", "round", "rate", "users", "label")}
    found["note"] = note
    found |= {name: value for name, value in measured.items() if isinstance(value, str | int | float | bool)}
    found["void"] = "; ".join(measured["void"])
    for name, numbers in measured["latencies"].items():
        found |= {f"{name}.{what}": value for what, value in numbers.items()}
    found |= measured["cost"].get("per_1000", {})
    found |= {f"beside.{name}": value for name, value in measured.get("beside", {}).items()}
    return found | {f"fault.{name}": value for name, value in measured["fault"].items()}


def _stored(folder: LoadFolder, slugs: Mapping[str, str], row: Row, name: str) -> Iterator[dict[str, Any]]:
    path = folder.load(row.get("part", slugs[row["contestant"]]), row["label"]) / name
    which = {one: row[one] for one in ("contestant", "block", "round", "label")}
    with reading(path):
        found = pq.read_table(path).to_pylist()
    for one in found:
        yield which | one


def _write(rows: Iterator[dict[str, Any]], file: Path) -> int:
    """Columns are those of all rows: a compensated saga may be missing from one load."""
    kept = list(rows)
    columns = dict.fromkeys(name for row in kept for name in row)
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(columns))
        writer.writeheader()
        writer.writerows(kept)
    return len(kept)
