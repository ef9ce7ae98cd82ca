"""Runs ``pytest bench`` as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: Few rounds: what is tested here is not how fast anything is.
TINY = ("--rounds", "2", "--warm-up", "1")


@dataclass(frozen=True)
class Ran:
    """What came of it."""

    code: int
    out: str
    err: str
    benchmarks: dict[str, dict[str, Any]]


def environment() -> dict[str, str]:
    """Without what xdist tells its workers: pytest-benchmark would take itself for one and do nothing.

    And without ``CI``, with which pytest tells everything twice.
    """
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTEST_") and name not in ("CI", "BUILD_NUMBER")
    }
    return own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def pytest_bench(*arguments: str, json_file: Path | None = None, timeout_s: float = 300) -> Ran:
    """Run the suite; ``benchmarks`` holds ``{name: benchmark}`` of its JSON."""
    argv = [sys.executable, "-m", "pytest", "bench", "-p", "no:cacheprovider", *arguments]
    argv += [f"--benchmark-json={json_file}"] if json_file else []
    done = run(argv, timeout_s)
    # An empty file is left where no benchmark was good enough to be written.
    text = json_file.read_text() if json_file and json_file.exists() else ""
    found = json.loads(text)["benchmarks"] if text else []
    return Ran(done.returncode, done.stdout, done.stderr, {one["name"]: one for one in found})


def run(argv: Sequence[str], timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command in the root of the checkout."""
    return subprocess.run(
        list(argv), cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, env=environment()
    )
