"""Temporary folders that do not pile up: removed at the end, swept at the next start after a SIGKILL."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bakeoff.errors import UsageError
from bakeoff.processes.interruption import removed_at_last
from bakeoff.processes.uninterrupted import uninterrupted

_LOCK = ".lock"

#: Seconds for threads that were not waited for (a step in-process) to write their last file.
_STILL_WRITTEN_S = 2.0


@contextmanager
def scratch_folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that lives as long as this context, and sweep those of harnesses that were killed.

    A lock file beside the folder is locked by its owner; the operating system releases the lock when the
    owner dies, however it dies, so a process id that was given anew cannot be mistaken for the owner.

    Args:
        purpose: A word that shows in the folder's name, e.g. ``"up"``.
        parent: Where to make it; the system's folder for temporary files if ``None``.

    Raises:
        OSError: If the parent is not writable.
    """
    parent = parent or temporary_folder()
    sweep(parent)
    claimed: tuple[int, Path] | None = None
    try:
        with uninterrupted():
            claimed = _claim(parent, purpose)
        with removed_at_last(partial(_remove, *claimed)):
            yield claimed[1]
    finally:
        if claimed is not None:
            _remove(*claimed)


def temporary_folder() -> Path:
    """The system's folder for temporary files.

    Raises:
        UsageError: If there is none that can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise UsageError(f"{error.strerror}; set TMPDIR to a folder with some space") from None


def sweep(parent: Path) -> list[Path]:
    """Remove the folders under ``parent`` whose owners are dead; return them."""
    swept = []
    for file in parent.glob(f"{_prefix()}*{_LOCK}"):
        with contextlib.suppress(OSError):
            lock = os.open(file, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder = file.with_suffix("")
                if folder.exists():
                    swept.append(folder)
                shutil.rmtree(folder, ignore_errors=True)
                file.unlink(missing_ok=True)
            finally:
                os.close(lock)
    return swept


def _remove(lock: int, folder: Path) -> None:
    with uninterrupted():
        deadline = time.monotonic() + _STILL_WRITTEN_S
        shutil.rmtree(folder, ignore_errors=True)
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():  # otherwise the next start sweeps it
            folder.with_suffix(_LOCK).unlink(missing_ok=True)
        os.close(lock)


def _prefix() -> str:
    """Other users' folders are none of our business."""
    return f"bakeoff-{os.getuid()}-"


def _claim(parent: Path, purpose: str) -> tuple[int, Path]:
    while True:
        lock, name = tempfile.mkstemp(prefix=f"{_prefix()}{purpose}-", suffix=_LOCK, dir=parent)
        file = Path(name)
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A sweeper that came between these two lines took the file for abandoned and removed it.
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_ino == os.fstat(lock).st_ino:
                break
        os.close(lock)
    folder = file.with_suffix("")
    # Some servers refuse to run as root and must be able to enter as somebody else.
    folder.mkdir(mode=0o711 if os.getuid() == 0 else 0o700)
    return lock, folder
