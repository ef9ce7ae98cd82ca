"""The result of a load folder, kept in it for as long as nothing changes that it rests on.

Judging hundreds of thousands of sagas takes minutes, and the same evidence always gives the same result.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import bakeoff
import bakeoff_bench
import bakeoff_scenarios
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.result import result_of
from bakeoff_bench.run.output import write_file

JUDGED = "judged.json"
#: What a result is made of; logs and pages are not.
_EVIDENCE = (
    *("manifest.json", "loads.jsonl", "plan.jsonl", "history.jsonl", "workload.json"),
    *("world.db", "world.db-wal", "*.hlog", "samples.parquet"),
)


def judged(folder: LoadFolder) -> dict[str, Any]:
    """What ``result_of`` says, as JSON has it; judged again only if evidence or judge have changed.

    Where nothing may be written it is judged every time.

    Raises:
        UsageError: If the folder is damaged.
    """
    file, print_ = folder.path / JUDGED, _fingerprint(folder.path)
    found = _kept(file, print_)
    if found is None:
        found = json.loads(json.dumps(result_of(folder), default=str))
        with contextlib.suppress(OSError):
            write_file(file, json.dumps({"rests_on": print_, "result": found}))
    return found


def _kept(file: Path, print_: str) -> dict[str, Any] | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return dict(kept["result"]) if kept["rests_on"] == print_ else None
    except (OSError, ValueError, LookupError, TypeError):
        return None  # none is there, or it is torn


def _fingerprint(path: Path) -> str:
    """SHA-256 of all evidence, and of the code that judges it."""
    whole = hashlib.sha256(_code().encode())
    for file in sorted(file for pattern in _EVIDENCE for file in path.rglob(pattern)):
        whole.update(str(file.relative_to(path)).encode())
        whole.update(_digest(file))
    return whole.hexdigest()


@cache
def _code() -> str:
    whole = hashlib.sha256()
    for file in _sources():
        whole.update(_digest(file))
    return whole.hexdigest()


def _sources() -> Iterator[Path]:
    for package in (bakeoff, bakeoff_bench, bakeoff_scenarios):
        for place in package.__path__:
            yield from sorted(Path(place).rglob("*.py"))


def _digest(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError:  # whoever judges tells what is missing
        return b""
