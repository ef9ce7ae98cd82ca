"""Bytes that a deployment keeps in files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bakeoff.engine import KeepsFiles
from bakeoff.stack import Backend
from bakeoff_bench.meter.roles import Role, is_ledger

#: Beside a SQLite database lie its write-ahead log and the index of that.
_SQLITE_FILES = ("", "-wal", "-shm")
_BLOCK_BYTES = 512  # unit of st_blocks, whatever the file system's own


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes in files.

    Attributes:
        apparent_bytes: Lengths of the files.
        allocated_bytes: What the file system gave them: whole blocks, no holes.

    What was reserved beforehand (a write-ahead log of fixed length) counts, whether it is written or not.
    """

    apparent_bytes: int
    allocated_bytes: int

    def __sub__(self, before: Stored) -> Stored:
        """The growth; negative where a server has tidied up."""
        return Stored(
            self.apparent_bytes - before.apparent_bytes, self.allocated_bytes - before.allocated_bytes
        )


def stored(backend: Backend) -> dict[Role, Stored | None]:
    """``{role: bytes}`` for servers and ledger; ``None`` where files are not ours to see.

    What an engine keeps in files without a server (``KeepsFiles``) counts with its servers.
    """
    ours = [server for server in backend.servers if not is_ledger(server)]
    folders = [server.folder for server in ours]
    kept: list[Path] = [folder for folder in folders if folder is not None]
    if isinstance(backend.engine, KeepsFiles):
        kept += backend.engine.kept_files(backend.deployment)
    ledger = _ledger(backend)
    return {
        Role.SERVERS: None if None in folders else in_files(kept),
        Role.LEDGER: None if ledger is None else in_files(ledger),
    }


def in_files(places: Iterable[Path]) -> Stored:
    """All files in or at these places; what vanishes meanwhile is not there."""
    apparent = allocated = 0
    for path in _files(places):
        with contextlib.suppress(FileNotFoundError):
            told = path.lstat()
            apparent += told.st_size
            allocated += told.st_blocks * _BLOCK_BYTES
    return Stored(apparent, allocated)


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            for folder, _, names in os.walk(place):  # passes over what vanishes, as rglob does not
                yield from (Path(folder, name) for name in names)
        else:
            yield place


def _ledger(backend: Backend) -> list[Path] | None:
    folders = [server.folder for server in backend.servers if is_ledger(server)]
    if folders:
        return [folder for folder in folders if folder is not None]
    url = backend.world.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        return [Path(f"{url.database}{end}") for end in _SQLITE_FILES]
    return None
