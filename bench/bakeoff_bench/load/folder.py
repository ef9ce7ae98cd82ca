"""The folder of a load run.

manifest.json                 what was to be done, on what, with which settings; what the search found
loads.jsonl                   one line per load, written when it is over
judged.json                   the last verdict, with the digest of all that it rests on
NAME/                         of one contestant: plan.jsonl, history.jsonl, workload.json, world.db, logs/
NAME/loads/LABEL/             of one load: samples.parquet, *.hlog, order.json, generator.json
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bakeoff.errors import UsageError
from bakeoff_bench.load.extra import KIND
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.meter import ResourceUsage
from bakeoff_bench.run.journal import Journal, Layout

_SAMPLES = "samples.parquet"

_TYPES = {"str": pa.string(), "float": pa.float64(), "float | None": pa.float64(), "bool": pa.bool_()}
#: Columns of ``samples.parquet``, as ``Sample`` describes them.
SCHEMA = pa.schema([(one.name, _TYPES[str(one.type)]) for one in fields(Sample)])


class LoadFolder(Journal):
    """Where everything of one load run lies."""

    layout = Layout(
        kind=KIND,
        # Since 2 unsettled sagas rank in percentiles, all contestants are up before the first load, rounds go
        # load by load, and rows say what else the machine did.
        format=2,
        older=(1,),
        rows="loads.jsonl",
        row="a load",
        manifest_fields={"plan": dict, "contestants": dict, "complete": bool},
        row_fields={"contestant": str, "phase": str, "block": str, "round": int, "measured": dict},
    )

    def contestant(self, slug: str) -> Path:
        """The part of one contestant."""
        return self.path / slug

    def load(self, slug: str, label: str) -> Path:
        """The part of one load."""
        return self.path / slug / "loads" / label


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
