"""Judges the kills of a stored crash run again, from ledger and history, and compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bakeoff.checkers import Evidence, Planned, Shape, read_books
from bakeoff.cli.screen import say
from bakeoff.history import Operation, read_history
from bakeoff.world import Record, World
from bakeoff.world.database import file_url
from bakeoff_bench.crash.cells import group
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.judging import judged
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.run.journal import Row
from bakeoff_bench.run.ledger_file import readable
from bakeoff_bench.run.stored import reading

_UNJUDGED = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)


def rejudged(folder: CrashFolder) -> Iterator[tuple[Row, KillOutcome, str]]:
    """``(kill, outcome, detail)`` of every kill that was judged, as the judge sees it today.

    Raises:
        UsageError: If a file of the run is missing or broken.
    """
    manifest = folder.manifest()
    told = [row for row in folder.rows() if KillOutcome(row["outcome"]) not in _UNJUDGED]
    for stack, rows in group(told, lambda row: row["stack"]).items():
        if not (folder.stacks / stack / "world.db").exists():
            # Its ledger lay in PostgreSQL, and the harness was killed before it could be copied.
            say(f"{len(rows)} kills of {stack} cannot be judged again: its ledger was not kept")
            continue
        about = _Stack(folder.stacks / stack, manifest)
        for row in rows:
            outcome, detail = judged(about.evidence(row))
            yield row, outcome, detail


class _Stack:
    """What one stack left: records and operations of every saga of it."""

    def __init__(self, path: Path, manifest: Mapping[str, Any]) -> None:
        self._contestants = manifest["contestants"]
        self._shape = Shape.from_json(manifest["saga"]["shape"])
        with reading(path / "world.db"), readable(path / "world.db") as ledger:
            world = World.open(file_url(ledger))
            try:
                self._records: dict[str, list[Record]] = group(world.ledger(), lambda one: one.workflow_id)
                self._books = read_books(world.engine, {})
            finally:
                world.close()
        operations = read_history(path / "history.jsonl")
        self._operations: dict[str, list[Operation]] = group(operations, lambda one: one.workflow_id)

    def evidence(self, row: Row) -> list[Evidence]:
        """As it lay before the judge: of the saga that was struck, then of those beside it."""
        return [
            Evidence(
                engine=row["engine"],
                shape=self._shape,
                planned={planned.workflow_id: planned},
                ledger=[r for r in self._records.get(planned.workflow_id, []) if r.seq <= row["last_seq"]],
                operations=self._operations.get(planned.workflow_id, []),
                books=self._books,
                silent=self._contestants[row["contestant"]]["silent"],
                engine_faults=True,
            )
            for planned in map(Planned.from_json, row["planned"])
        ]
