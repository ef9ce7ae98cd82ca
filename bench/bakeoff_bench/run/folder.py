"""The folder of a run: manifest, and per engine the plan, the ledger, the history and the logs.

manifest.json          what was run, on what, with which settings
rejected.jsonl         lines and orders that were refused
ENGINE/workload.json   stock, expected numbers
ENGINE/plan.jsonl      one planned saga per line, with its expectation
ENGINE/history.jsonl   what the client saw
ENGINE/world.db        the services' database with the ledger (SQLite, also when PostgreSQL was used)
ENGINE/logs/           of servers and workers
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from bakeoff.checkers import Evidence, Shape
from bakeoff.errors import UsageError
from bakeoff.orders.loader import Rejection
from bakeoff.world import schema
from bakeoff.world.database import file_url, open_database, reading
from bakeoff_bench.run import stored
from bakeoff_bench.run.batches import Batches
from bakeoff_bench.run.journal import MANIFEST, make_folder, stored_manifest
from bakeoff_scenarios import Workload

FORMAT = 1
_REJECTED = "rejected.jsonl"


class RunFolder:
    """Where everything of one run lies."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> RunFolder:
        """Make the folder.

        Raises:
            UsageError: If it is used already or cannot be written.
        """
        make_folder(path, MANIFEST)
        (path / MANIFEST).unlink()
        return cls(path)

    def engine(self, name: str) -> Path:
        """The part of one engine."""
        return self.path / name

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        unfinished = self.path / f"{MANIFEST}.new"
        unfinished.write_text(json.dumps({"format": FORMAT, **manifest}, indent=2, default=str) + "\n")
        unfinished.replace(self.path / MANIFEST)

    def manifest(self) -> dict[str, Any]:
        """Read the manifest.

        Raises:
            UsageError: If this is no run folder, or one of another format.
        """
        manifest: dict[str, Any] = stored_manifest(self.path, "run folder of bakeoff")
        found = manifest.get("format") if isinstance(manifest, dict) else None
        if found != FORMAT:
            raise UsageError(f"{self.path} has format {found}; this bakeoff reads format {FORMAT}")
        with stored.reading(self.path / MANIFEST):
            stored.check_manifest(manifest)
        return manifest

    def write_rejected(self, rejected: Iterable[Rejection]) -> None:
        """List what was refused of the orders."""
        _write_lines(
            self.path / _REJECTED,
            (
                {"what": r.what, "file": r.file, "line": r.line, "order_id": r.order_id, "reason": r.reason}
                for r in rejected
            ),
        )

    def rejected(self) -> list[dict[str, Any]]:
        """What was refused, as ``write_rejected`` wrote it; nothing if it never did.

        Raises:
            UsageError: If it is damaged.
        """
        file = self.path / _REJECTED
        if not file.exists():
            return []
        with stored.reading(file):
            rejected = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            for item in rejected:
                stored.check_rejected(item)
        return rejected

    def write_workload(self, engine: str, workload: Workload) -> None:
        """Store the plan of one engine before it starts."""
        folder = self.engine(engine)
        folder.mkdir(parents=True, exist_ok=True)
        about = {"stock": workload.stock, "counts": workload.counts, "notes": workload.notes}
        (folder / "workload.json").write_text(json.dumps(about, indent=2) + "\n")
        _write_lines(folder / "plan.jsonl", (one.planned.to_json() for one in workload.assignments))

    def evidence(self, engine: str, manifest: Mapping[str, Any]) -> Batches:
        """Everything that is known of one engine's part, in batches of its sagas.

        Raises:
            UsageError: If a file of it is missing or broken.
        """
        folder = self.engine(engine)
        with stored.reading(folder / "workload.json"):
            about = json.loads((folder / "workload.json").read_text())
            stored.check_workload(about)
        with stored.reading(self.path / MANIFEST):
            shape = Shape.from_json(manifest["saga"]["shape"])
        common = Evidence(
            engine=engine,
            shape=shape,
            planned={},
            counts=about["counts"],
            ledger=(),
            operations=(),
            rejected=sum(item["what"] == "order" for item in self.rejected()),
            rejected_planned=manifest["orders"]["rejected_orders"],
            silent=manifest["engines"][engine]["silent"],
        )
        return Batches(part=folder, common=common, stock=about["stock"], ended=manifest["complete"])


def keep_worlds(several: Iterable[tuple[Engine, Path]]) -> None:
    """``keep_world`` of each that is no file; one that has died takes no other one along.

    Raises:
        SQLAlchemyError: The first failure, when everything that could be copied has been.
    """
    failures: list[SQLAlchemyError] = []
    for source, file in several:
        if source.url.get_backend_name() == "sqlite":
            continue
        try:
            keep_world(source, file)
        except SQLAlchemyError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def keep_world(source: Engine, file: Path) -> None:
    """Copy a service database that is no file into one, so that the run can be judged again."""
    target = open_database(file_url(file))
    try:
        with target.begin() as tx, reading(source) as connection:
            schema.metadata.create_all(tx)
            for table in schema.metadata.sorted_tables:
                rows = [dict(row._mapping) for row in connection.execute(select(table))]
                if rows:
                    tx.execute(insert(table), rows)
    finally:
        target.dispose()


def remove_servers_data(folder: Path, kept: Iterable[str] = ("logs",)) -> None:
    """What servers stored is theirs, and the deployment file may hold credentials; ``kept`` stays."""
    for path in folder.glob("*/"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
    (folder / "deployment.json").unlink(missing_ok=True)


def _write_lines(path: Path, items: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item, separators=(",", ":")) + "\n")
