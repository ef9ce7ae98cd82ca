"""Notes which lines of one package run, and during which contract test; loaded by every process of an engine.

A worker is killed without a warning, so a line is written down when it runs for the first time in a test.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

#: Environment of the processes: where notes go, and the folder of the package.
FOLDER, PACKAGE = "BAKEOFF_LINES_FOLDER", "BAKEOFF_LINES_PACKAGE"
#: The file with the number of the test that runs: four bytes, little-endian, 0 before the first one.
CLOCK = "test"
#: One line per test: ``{"number", "test", "requires"}``.
TESTS = "tests.jsonl"
_NUMBER = struct.Struct("<I")


def set_number(folder: Path, number: int) -> None:
    """Tell every process that the test of this number runs from now on."""
    with (folder / CLOCK).open("r+b") as file:
        file.write(_NUMBER.pack(number))


def make_clock(folder: Path) -> None:
    """Before the first process starts."""
    (folder / CLOCK).write_bytes(_NUMBER.pack(0))


def begin() -> None:
    """Trace this process, and those that it forks, if its environment says so."""
    folder, package = os.environ.get(FOLDER), os.environ.get(PACKAGE)
    if not folder or not package:
        return
    with Path(folder, CLOCK).open("rb") as file:
        clock = mmap.mmap(file.fileno(), _NUMBER.size, access=mmap.ACCESS_READ)
    notes = os.open(Path(folder, f"{os.getpid()}.lines"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen: set[tuple[str, int]] = set()
    current = [0]

    def line(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            (number,) = _NUMBER.unpack(clock[:])
            if number != current[0]:
                current[0] = number
                seen.clear()
            place = (frame.f_code.co_filename, frame.f_lineno)
            if place not in seen:
                seen.add(place)
                os.write(notes, f"{number}\t{place[1]}\t{place[0]}\n".encode())
        return line

    def call(frame: FrameType, _event: str, _argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(package) else None

    threading.settrace(call)
    sys.settrace(call)
