"""Programs that use CPU and tell how much, for a meter to find out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bakeoff.processes import Child, Launch, Launcher
from tests.processes.scripts import python

T = TypeVar("T")

_BEGIN = """
import json, os, resource, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
def child(seconds):
    code = f"import time\\nwhile time.process_time() < {seconds}: pass"
    return subprocess.Popen([sys.executable, "-S", "-c", code])
def told():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)
def say(name, what):
    (folder / "new").write_text(json.dumps(what))
    (folder / "new").rename(folder / name)
def wait_for(name):
    while not (folder / name).exists():
        time.sleep(0.01)
"""


@dataclass
class Program:
    """A running program in a folder; it says things by files."""

    folder: Path
    child: Child

    def tell(self, word: str) -> None:
        """Let it go on from its ``wait_for(word)``."""
        (self.folder / word).touch()

    def said(self, word: str) -> float:
        """What it said with this word; waits for it."""
        file = self.folder / word
        until(f"{word}\n{self.child.log_tail()}", file.exists)
        return float(json.loads(file.read_text()))


def start(launcher: Launcher, folder: Path, script: str) -> Program:
    """Run a script that may use ``burn``, ``child``, ``told``, ``say`` and ``wait_for``."""
    folder.mkdir()
    child = launcher.start(folder.name, Launch(argv=python(_BEGIN + script, folder), stop_within_s=0))
    return Program(folder, child)


def until(what: str, found: Callable[[], T], within_s: float = 30.0) -> T:
    """Poll until it is true."""
    deadline = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.01)
    return value
