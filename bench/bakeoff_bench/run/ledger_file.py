"""The ledger of a stored run as a file that SQLite can open, wherever the run lies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bakeoff.errors import UsageError
from bakeoff.processes import scratch_folder

#: The file itself and, after a kill, the log of what is not in it yet.
_PARTS = ("", "-wal")


@contextmanager
def readable(ledger: Path) -> Iterator[Path]:
    """The file, or a copy for the time of this context if nothing may be written beside it.

    SQLite shares a write-ahead log between its readers through a file next to it, so in an archive, on a
    mounted artefact, or in a folder of somebody else's not even reading works.

    Raises:
        UsageError: If it cannot be copied, or what is done with the copy fails with one; it names ``ledger``.
    """
    if not ledger.exists() or (os.access(ledger.parent, os.W_OK) and os.access(ledger, os.W_OK)):
        yield ledger
        return
    with scratch_folder("ledger") as folder:
        copy = folder / ledger.name
        try:
            for ending in _PARTS:
                if (part := ledger.with_name(ledger.name + ending)).exists():
                    shutil.copyfile(part, copy.with_name(copy.name + ending))
        except OSError as error:
            raise UsageError(f"{ledger} cannot be read: {error.strerror}") from error
        try:
            yield copy
        except UsageError as error:
            raise UsageError(str(error).replace(str(copy), str(ledger))) from error
