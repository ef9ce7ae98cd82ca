"""A process that takes minutes without a word: meanwhile its user is told how it goes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: Seconds between two words.
_EVERY_S = 30.0


def run_and_tell(
    command: Sequence[str],
    tell: Callable[[], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Do as ``subprocess.run`` with captured output; ``tell`` is called every half a minute until it ends."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while True:
                try:
                    out, err = process.communicate(timeout=_EVERY_S)
                except subprocess.TimeoutExpired:
                    tell()
                else:
                    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
        except BaseException:  # Ctrl-C, too
            process.kill()
            raise
