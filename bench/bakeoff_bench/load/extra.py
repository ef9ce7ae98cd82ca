"""Whether what a load needs is installed, and what a stored one is known by: both without importing it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bakeoff.errors import UsageError
from bakeoff_bench.run.journal import kind_of

#: Modules of the extra ``bench`` that a load cannot do without.
_NEEDED = ("locust", "hdrh", "pyarrow", "uvloop")
KIND = "load"


def check_extra(*more: str) -> None:
    """Find out before anything starts.

    Args:
        more: Modules of the extra that are needed beside those of every load.

    Raises:
        UsageError: Naming what is missing and the extra.
    """
    missing = [name for name in (*_NEEDED, *more) if not _installed(name)]
    if missing:
        raise UsageError(f"this needs {', '.join(missing)}: pip install 'bakeoff[bench]'")


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # somebody has forbidden its import
        return False


def is_load_folder(path: Path) -> bool:
    """Whether ``bakeoff load`` wrote this folder."""
    return kind_of(path) == KIND
