"""The folder of a load run.

manifest.json                 what was to be done, on what, with which settings; what the search found
loads.jsonl                   one line per load, written when it is over
NAME/                         of one contestant: plan.jsonl, history.jsonl, workload.json, world.db, logs/
NAME/loads/LABEL/             of one load: samples.parquet, *.hlog, order.json, generator.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bakeoff.errors import UsageError
from bakeoff_bench.load.extra import KIND, MANIFEST
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.meter import ResourceUsage
from bakeoff_bench.run import stored

FORMAT = 1
_LOADS, _SAMPLES = "loads.jsonl", "samples.parquet"

_KINDS: Mapping[str, type | tuple[type, ...]] = {"plan": dict, "contestants": dict, "complete": bool}
_ROW: Mapping[str, type | tuple[type, ...]] = {
    "contestant": str,
    "phase": str,
    "block": str,
    "round": int,
    "measured": dict,
}

Row = dict[str, Any]

_TYPES = {"str": pa.string(), "float": pa.float64(), "float | None": pa.float64(), "bool": pa.bool_()}
#: Columns of ``samples.parquet``, as ``Sample`` describes them.
SCHEMA = pa.schema([(one.name, _TYPES[str(one.type)]) for one in fields(Sample)])


class LoadFolder:
    """Where everything of one load run lies."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> LoadFolder:
        """Make the folder.

        Raises:
            UsageError: If it is used already or cannot be written.
        """
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise UsageError(f"--out {path}: it exists already and is not empty; name a new folder")
            path.mkdir(parents=True, exist_ok=True)
            (path / _LOADS).touch()
        except OSError as error:
            raise UsageError(f"--out {path}: cannot be written ({error.strerror})") from error
        return cls(path)

    def contestant(self, slug: str) -> Path:
        """The part of one contestant."""
        return self.path / slug

    def load(self, slug: str, label: str) -> Path:
        """The part of one load."""
        return self.path / slug / "loads" / label

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        unfinished = self.path / f"{MANIFEST}.new"
        about = {"format": FORMAT, "kind": KIND, **manifest}
        unfinished.write_text(json.dumps(about, indent=2, default=str) + "\n")
        unfinished.replace(self.path / MANIFEST)

    def manifest(self) -> dict[str, Any]:
        """Read the manifest.

        Raises:
            UsageError: If this is no folder of a load run, or one of another format.
        """
        try:
            manifest = json.loads((self.path / MANIFEST).read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{self.path} is no folder of a load run: {error}") from error
        found = (manifest.get("kind"), manifest.get("format")) if isinstance(manifest, dict) else None
        if found != (KIND, FORMAT):
            raise UsageError(f"{self.path} is no folder of a load run of format {FORMAT}, but {found}")
        with stored.reading(self.path / MANIFEST):
            stored.check("the manifest", manifest, _KINDS)
        return dict(manifest)

    def append(self, row: Row) -> None:
        """Write one load down, at once."""
        with (self.path / _LOADS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")

    def rows(self) -> list[Row]:
        """Every load so far; a torn last line (the harness died) is left out.

        Raises:
            UsageError: If the file is damaged elsewhere.
        """
        file = self.path / _LOADS
        with stored.reading(file):
            whole, _, _ = file.read_text(encoding="utf-8").rpartition("\n")
            rows: list[Row] = [json.loads(line) for line in whole.splitlines()]
            for row in rows:
                stored.check("a load", row, _ROW)
        return rows


def store_samples(folder: Path, samples: Sequence[Sample]) -> None:
    """As Parquet: one row per saga, see ``Sample``."""
    table = pa.Table.from_pylist([asdict(one) for one in samples], schema=SCHEMA)
    pq.write_table(table, folder / _SAMPLES, compression="zstd")


def store_usage(folder: Path, usage: ResourceUsage) -> None:
    """As Parquet: one row per role and moment, see ``bakeoff_bench.meter.usage.Sample``."""
    pq.write_table(pa.Table.from_pylist(usage.rows()), folder / "resources.parquet", compression="zstd")


def load_samples(folder: Path) -> list[Sample]:
    """Reverse of ``store_samples``.

    Raises:
        UsageError: If there are none, or the file is damaged.
    """
    try:
        table = pq.read_table(folder / _SAMPLES)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{folder / _SAMPLES} cannot be read: {error}") from error
    return [Sample(**row) for row in table.to_pylist()]
