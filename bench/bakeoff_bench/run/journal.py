"""A folder with a manifest and a line for everything that was measured, written when it is over.

What ``bakeoff crash`` and ``bakeoff load`` keep is of this kind; each adds what else lies in it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from bakeoff.errors import UsageError
from bakeoff_bench.run import stored

MANIFEST = "manifest.json"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a kind of folder is told from others, and what must be in it.

    Attributes:
        kind: In its manifest.
        format: Of the kind; a change that old readers would not understand is another one.
        older: Formats that this reader understands, too; what they lack is told as unknown.
        rows: Name of the file with the lines.
        row: A line in words: ``a kill``.
        manifest_fields, row_fields: ``{name: type}`` of what must be there.
    """

    kind: str
    format: int
    rows: str
    row: str
    manifest_fields: Mapping[str, type | tuple[type, ...]]
    row_fields: Mapping[str, type | tuple[type, ...]]
    older: tuple[int, ...] = ()


class Journal:
    """Where everything of one run lies."""

    layout: ClassVar[Layout]

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make the folder.

        Raises:
            UsageError: If it is used already or cannot be written.
        """
        make_folder(path, cls.layout.rows)
        return cls(path)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        about = {"format": self.layout.format, "kind": self.layout.kind, **manifest}
        unfinished = self.path / f"{MANIFEST}.new"
        unfinished.write_text(json.dumps(about, indent=2, default=str) + "\n")
        unfinished.replace(self.path / MANIFEST)

    def manifest(self) -> dict[str, Any]:
        """Read the manifest.

        Raises:
            UsageError: If this is no folder of this kind, or one of another format.
        """
        layout = self.layout
        manifest = stored_manifest(self.path, f"folder of a {layout.kind} run")
        found = (manifest.get("kind"), manifest.get("format")) if isinstance(manifest, dict) else None
        if found not in [(layout.kind, one) for one in (layout.format, *layout.older)]:
            raise UsageError(
                f"{self.path} is no folder of a {layout.kind} run of format {layout.format}, but {found}"
            )
        with stored.reading(self.path / MANIFEST):
            stored.check("the manifest", manifest, layout.manifest_fields)
        return dict(manifest)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else goes on with this folder meanwhile; the lock ends with this process, however it ends.

        Raises:
            UsageError: If somebody else is at it.
        """
        file = self.path / ".lock"
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            busy = "another bakeoff is at work there; wait for it, or stop it"
            raise UsageError(f"{self.path}: {busy}") from None
        try:
            yield
        finally:
            file.unlink(missing_ok=True)
            os.close(lock)

    def append(self, row: Row) -> None:
        """Write one line down, at once; a torn one before it (the harness died) is cut off."""
        with (self.path / self.layout.rows).open("rb+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            if file.read() not in (b"", b"\n"):
                file.seek(0)
                whole, newline, _ = file.read().rpartition(b"\n")
                file.seek(len(whole + newline))
                file.truncate()
            file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")

    def rows(self) -> list[Row]:
        """Every line so far; a torn last one is left out.

        Raises:
            UsageError: If the file is damaged elsewhere.
        """
        file = self.path / self.layout.rows
        with stored.reading(file):
            whole, _, _ = file.read_text(encoding="utf-8").rpartition("\n")
            rows: list[Row] = [json.loads(line) for line in whole.splitlines()]
            for row in rows:
                stored.check(self.layout.row, row, self.layout.row_fields)
        return rows


def make_folder(path: Path, first: str) -> None:
    """Make the folder of a run, with an empty file in it.

    Raises:
        UsageError: If it is used already or cannot be written.
    """
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"--out {path}: it exists already and is not empty; name a new folder")
        path.mkdir(parents=True, exist_ok=True)
        (path / first).touch()
    except OSError as error:
        raise UsageError(f"--out {path}: cannot be written ({error.strerror})") from error


def stored_manifest(path: Path, what: str) -> Any:
    """The manifest of a folder, whatever stands in it; ``what`` the folder should be, in messages.

    Raises:
        UsageError: If there is none, or it is no JSON.
    """
    file = path / MANIFEST
    with stored.reading(file):
        try:
            text = file.read_text()
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"{path} is no {what}: it has no {MANIFEST}") from None
        return json.loads(text)


def kind_of(path: Path) -> str | None:
    """What kind of folder this is by its manifest; ``None`` if it is none, or does not say."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError, RecursionError):
        return None
    kind = manifest.get("kind") if isinstance(manifest, dict) else None
    return kind if isinstance(kind, str) else None
