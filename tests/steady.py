"""What a machine that stood still does to a measurement, told apart from what bakeoff does.

A process that gets no CPU for two seconds lets its step time out, and the step is tried again: a ledger with
more attempts than were planned. That says nothing about bakeoff, so it is made again, as a void kill is; a
defect that adds attempts adds them every time.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cli.terminal import PATIENCE_S, Terminal

#: How often something is made at most.
TRIES = 3
_TRIED = re.compile(r"was tried (\d+) times, planned (\d+)")


def stood_still(said: str) -> bool:
    """Whether what bakeoff or Locust said names a step that was tried more often than planned."""
    return any(int(found) > int(planned) for found, planned in _TRIED.findall(said))


def run_steadily(
    terminal: Terminal,
    line: str | list[str],
    within_s: float = PATIENCE_S,
    *,
    makes: Sequence[str] = (),
    again: Callable[[subprocess.CompletedProcess[str]], bool] = lambda done: False,
) -> subprocess.CompletedProcess[str]:
    """Run a command line; again, if the machine stood still meanwhile.

    Args:
        terminal, line, within_s: As for ``Terminal.run``.
        makes: Files and folders that it writes, and does not write over.
        again: Another reason why what came of it says nothing.
    """
    for _ in range(TRIES - 1):
        done = terminal.run(line, within_s)
        if not stood_still(done.stdout + done.stderr) and not again(done):
            return done
        for name in makes:
            _remove(terminal.folder / name)
    return terminal.run(line, within_s)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
