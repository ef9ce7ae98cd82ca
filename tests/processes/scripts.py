"""Small programs that the tests launch."""

from __future__ import annotations

import sys
from pathlib import Path

#: Writes its process id to the file named first, then sleeps.
SLEEPER = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"

#: The same, deaf to SIGTERM.
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"

#: Starts a child of its own (its number into the second file), then is a sleeper itself.
PARENT = (
    f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}, sys.argv[2]]); {SLEEPER}"
)


def python(script: str, *arguments: Path | str) -> list[str]:
    """The command line that runs ``script``."""
    return [sys.executable, "-c", script, *map(str, arguments)]


def number_in(file: Path) -> int:
    """The process id in ``file``; 0 while there is none."""
    try:
        return int(file.read_text() or 0)
    except FileNotFoundError:
        return 0
