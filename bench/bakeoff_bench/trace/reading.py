"""The traces of a stored run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.history import began_at, read_history
from bakeoff.world.database import file_url, open_database
from bakeoff.world.ledger import Record, read_ledger
from bakeoff_bench.crash.folder import is_crash_folder
from bakeoff_bench.load.extra import check_extra, is_load_folder
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.ledger_file import readable
from bakeoff_bench.run.stored import reading
from bakeoff_bench.trace.span import Trace
from bakeoff_bench.trace.tracing import trace_of


def parts_of(directory: Path) -> dict[str, Path]:
    """``{contestant: folder of its ledger and history}`` of a folder of ``bakeoff run`` or ``load``.

    Raises:
        UsageError: If it is neither, or damaged.
    """
    return {name: part for name, (part, _) in _contestants(directory).items()}


def abouts_of(directory: Path) -> dict[str, Mapping[str, Any]]:
    """``{contestant: what the manifest says of it}``, the same contestants; errors as in ``parts_of``."""
    return {name: about for name, (_, about) in _contestants(directory).items()}


def _contestants(directory: Path) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    if is_load_folder(directory):
        check_extra()
        from bakeoff_bench.load.folder import LoadFolder  # Parquet is an extra, and heavy

        load = LoadFolder(directory)
        abouts = load.manifest()["contestants"]
        slugs = {label: about.get("parts", [about["slug"]]) for label, about in abouts.items()}
        parts = {
            label if len(own) == 1 else f"{label} ({slug})": (load.contestant(slug), abouts[label])
            for label, own in slugs.items()
            for slug in own
        }
    elif is_crash_folder(directory):
        raise UsageError(
            f"{directory}: traces are of `bakeoff run` and `load`; kills are told by `bakeoff check`"
        )
    else:
        run = RunFolder(directory)
        parts = {name: (run.engine(name), about) for name, about in run.manifest()["engines"].items()}
    return {name: found for name, found in parts.items() if (found[0] / "history.jsonl").exists()}


def traces_of(part: Path, engine: str) -> Iterator[Trace]:
    """Of every saga that was started, in the order of their starts.

    Args:
        part: The folder of one engine in a run, or of one contestant in a load run.
        engine: Its name.

    Raises:
        UsageError: If the folder is damaged.
    """
    with reading(part):
        began, operations = began_at(part / "history.jsonl"), defaultdict(list)
        for one in read_history(part / "history.jsonl"):
            operations[one.workflow_id].append(one)
        with readable(part / "world.db") as ledger:
            records = _records(ledger)
        for workflow_id, own in operations.items():
            trace = trace_of(workflow_id, engine, records.get(workflow_id, []), own, began)
            if trace is not None:
                yield trace


def _records(file: Path) -> dict[str, list[Record]]:
    world = open_database(file_url(file))
    try:
        found: dict[str, list[Record]] = defaultdict(list)
        for record in read_ledger(world):
            found[record.workflow_id].append(record)
        return found
    finally:
        world.dispose()
