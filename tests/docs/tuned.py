"""The tables of docs/results/tuned.md: every candidate of the stored searches, and what came of it.

``python -m tests.docs.tuned`` prints them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bakeoff_bench.tune.show import COLUMNS, rows_of

RESULTS = Path(__file__).parents[2] / "docs" / "results"
PAGE, FOUND, SEARCHED = RESULTS / "tuned.md", RESULTS / "tuned.toml", RESULTS / "tune.json"


def tables() -> Iterator[str]:
    """Markdown, a section per engine."""
    for engine, result in json.loads(SEARCHED.read_text(encoding="utf-8")).items():
        yield from (f"## {engine}", "", f"**{result['word']}.**", "")
        yield f"| {' | '.join(COLUMNS)} |"
        yield "|---" * len(COLUMNS) + "|"
        yield from (f"| {' | '.join(row)} |" for row in rows_of(result))
        yield ""


if __name__ == "__main__":
    print("\n".join(tables()))
