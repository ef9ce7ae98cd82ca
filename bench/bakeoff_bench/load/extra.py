"""Whether what a load needs is installed, and what a stored one is known by: both without importing it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from bakeoff.errors import UsageError

#: Modules of the extra ``bench`` that a load cannot do without.
_NEEDED = ("locust", "hdrh", "pyarrow", "uvloop")
KIND = "load"
MANIFEST = "manifest.json"


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
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND
