"""What was given on the command line: stored runs, and files of facts that stand for others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.gather import facts_of
from bakeoff_bench.decide.merging import merged
from bakeoff_bench.decide.origins import Origin, each_once, origins_of
from bakeoff_bench.decide.stored import is_facts, read_facts, read_origins
from bakeoff_bench.report.sources import read_sources
from bakeoff_bench.run.stored import reading


def read_evidence(places: Sequence[Path]) -> tuple[list[Facts], list[Origin]]:
    """What all of them together say of every contestant, and where that is from.

    Args:
        places: One or more.

    Raises:
        UsageError: If something cannot be read, is damaged, or comes along twice.
    """
    files = [path for path in places if is_facts(path)]
    sources = read_sources([path for path in places if path not in files])
    with reading(places[0] if len(places) == 1 else Path("one of these runs")):
        everyone = merged([*(one for file in files for one in read_facts(file)), *facts_of(sources)])
    origins = each_once([*(one for file in files for one in read_origins(file)), *origins_of(sources)])
    return everyone, origins
