"""Pages of results that a command made of stored results: each names its command in its first line.

``python -m tests.docs.generated`` makes all of them again.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from bakeoff.cli.main import run
from bakeoff_bench.report.markdown import MADE_BY

ROOT = Path(__file__).parents[2]


def generated() -> Iterator[Path]:
    """Relative to the root of the tree, where their commands are to be run."""
    for page in sorted((ROOT / "docs" / "results").glob("*.md")):
        if page.read_text(encoding="utf-8").startswith(MADE_BY):
            yield page.relative_to(ROOT)


def command_of(page: Path) -> list[str]:
    """The words after ``bakeoff`` in its first line."""
    first = page.read_text(encoding="utf-8").partition("\n")[0]
    program, *words = shlex.split(first.removeprefix(MADE_BY).removesuffix(" -->"))
    assert program == "bakeoff", first
    return words


if __name__ == "__main__":
    os.chdir(ROOT)
    raise SystemExit(max([run(command_of(page)) for page in generated()], default=0))
