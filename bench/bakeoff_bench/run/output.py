"""Files that a command writes for the user: looked at before the work, and whole or not there after it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError

#: Endings of what lies in the folder of a run.
_OF_RUNS = {".json", ".jsonl", ".db", ".parquet", ".hlog"}


def check_file(option: str, file: Path, *, reads: Sequence[Path] = (), whole: Path | None = None) -> None:
    """Find out before the work that it cannot be written at the end; nothing of the user's is touched.

    Args:
        option: How it was asked for: ``--json``.
        file: Where it is to go.
        reads: Files and folders that the command reads: nothing in them is replaced.
        whole: A new folder (``--out``) that is to hold nothing else.

    Raises:
        UsageError: If so.
    """
    target = file.resolve()
    if whole is not None and whole.resolve() in (target, *target.parents):
        raise UsageError(
            f"{option} {file}: cannot be written into --out {whole}, which is to be a new folder"
        )
    for source in reads:
        known = source.resolve()
        held = known in target.parents and target.exists() and target.suffix in _OF_RUNS
        if target == known or held:
            raise UsageError(f"{option} {file}: that is read here, and would be lost; name another file")
    if target.is_dir():
        raise UsageError(f"{option} {file}: cannot be written, that is a folder; give a file")
    if not target.parent.is_dir():
        raise UsageError(f"{option} {file}: cannot be written, there is no folder {target.parent}")
    try:
        if target.exists():
            target.open("ab").close()
        else:
            descriptor, probe = _beside(target)
            os.close(descriptor)
            probe.unlink()
    except OSError as error:
        raise UsageError(f"{option} {file}: cannot be written ({error.strerror})") from error


def write_file(file: Path, data: str | bytes) -> None:
    """Put it there in one move: a full disk, or whoever stops us, leaves what was there before.

    Raises:
        OSError: If it cannot be written.
    """
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    target = file.resolve()
    if target.exists() and not target.is_file():  # /dev/stdout, a pipe
        target.write_bytes(raw)
        return
    descriptor, unfinished = _beside(target)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(raw)
        unfinished.chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(file: Path | None, result: Any) -> None:
    """If it was asked for; errors as ``write_file``."""
    if file is not None:
        write_file(file, json.dumps(result, indent=2, default=str) + "\n")


def check_several(files: Mapping[str, Path | None]) -> None:
    """Refuse one file for two things.

    Raises:
        UsageError: Naming both options.
    """
    seen: dict[Path, str] = {}
    for option, file in files.items():
        if file is not None and (other := seen.setdefault(file.resolve(), option)) != option:
            raise UsageError(f"{option} {file}: {other} goes there, too; name another file")


def _beside(target: Path) -> tuple[int, Path]:
    descriptor, name = tempfile.mkstemp(prefix=".bakeoff-", dir=target.parent)
    return descriptor, Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
