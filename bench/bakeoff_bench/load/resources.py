"""What a run of loads is given by the machine: CPUs, and a folder to write to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bakeoff.cli.screen import say
from bakeoff.errors import BakeoffError
from bakeoff.processes import Split, available_cpus, scratch_folder, split

_FEWEST_TO_SPLIT = 2


def split_cpus(count: int | None) -> Split | None:
    """The generator has a CPU of its own wherever there are two; ``--cpus 0`` lets all share all."""
    available = available_cpus()
    if count == 0 or (count is None and (available is None or len(available) < _FEWEST_TO_SPLIT)):
        return None
    return split(count if count is not None else len(available or ()) - 1, available, say)


@contextmanager
def kept_or_scratch(out: Path | None, rows: str) -> Iterator[Path]:
    """The user's folder, or one that is gone afterwards; nothing is left of a run that never began.

    Args:
        out: ``--out``.
        rows: Name of the file that has a line for each thing that was measured.
    """
    if out is None:
        with scratch_folder("load") as path:
            yield path
        return
    existed = out.exists()
    used = existed and (not out.is_dir() or any(out.iterdir()))
    try:
        yield out
    except BakeoffError:
        if not used and not any(file.read_text() for file in out.rglob(rows)):
            for path in out.iterdir() if out.exists() else ():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not existed and out.exists():
                out.rmdir()
        raise
