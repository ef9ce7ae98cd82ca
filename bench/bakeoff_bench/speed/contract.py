"""How long the contract suite takes on one engine: a whole ``pytest`` process, its start included."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import BakeoffError
from bakeoff_bench.run.waiting import run_and_tell

#: pytest's exit codes for a suite that was run to its end: all green, or not.
_GREEN, _RED = 0, 1


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One run of the suite.

    Attributes:
        seconds: Wall clock.
        green: Whether the statuses equal the reviewed matrix.
    """

    seconds: float
    green: bool


def run_suite(
    engine: str,
    folder: Path,
    sets: Sequence[str] = (),
    select: Sequence[str] = (),
    *,
    tell: Callable[[], None] = lambda: None,
) -> SuiteRun:
    """Run the suite in an empty folder, with settings of this engine and pytest options to select tests.

    ``tell`` is called now and then until it is over.

    Raises:
        BakeoffError: If pytest could not run it.
    """
    own = [text for text in sets if text.startswith(f"{engine}.")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--engine={engine}", *select]
    command += [part for text in own for part in ("--set", text)]
    began_s = time.perf_counter()
    done = run_and_tell(command, tell, cwd=folder)
    seconds = time.perf_counter() - began_s
    if done.returncode not in (_GREEN, _RED):
        raise BakeoffError(f"the contract suite did not run: {(done.stderr or done.stdout).strip()[-500:]}")
    return SuiteRun(seconds, done.returncode == _GREEN)
