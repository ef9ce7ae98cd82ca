"""A command that permissions hold for, even when the tests are run by root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: Root may write anywhere by two capabilities; without them it is the owner of its files and no more.
_WITHOUT = "-dac_override,-dac_read_search"


def bakeoff_with_ordinary_rights(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``bakeoff`` to its end."""
    root = os.geteuid() == 0
    prefix = ["setpriv", f"--bounding-set={_WITHOUT}"] if root and sys.platform == "linux" else []
    return subprocess.run(
        [*prefix, sys.executable, "-m", "bakeoff", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write_protect(folder: Path) -> None:
    """Take everybody's right to write to the folder, and all that is in it."""
    for one in (folder, *folder.rglob("*")):
        one.chmod(one.stat().st_mode & ~0o222)
