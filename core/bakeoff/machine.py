"""What numbers and verdicts were found on: every result that is kept names it."""

from __future__ import annotations

import platform
from typing import Any

import psutil


def machine() -> dict[str, Any]:
    """``{"system": ..., "python": ..., "cpus": ..., "memory_bytes": ...}`` of this machine."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpus": psutil.cpu_count() or 0,
        "memory_bytes": psutil.virtual_memory().total,
    }
