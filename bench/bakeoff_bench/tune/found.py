"""The file of tuned values: read by everybody with ``--config tuned``, kept by whoever searched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from bakeoff.errors import UsageError
from bakeoff.settings import Value
from bakeoff.tuned import FORMAT, VARIABLE, read_tuned_file

_ABOUT = (
    "Found by `bakeoff tune`; `--config tuned` reads it here, or where "
    f"{VARIABLE} says it is.\n"
    "Class `recommended`, with these values instead. Another machine has other best values."
)


def check_writable(file: Path) -> None:
    """Find out before anything is measured that the file cannot be written, or is no file of ours.

    Raises:
        UsageError: So it is.
    """
    if file.exists():
        read_tuned_file(file, str(file))
    if not file.absolute().parent.is_dir():
        raise UsageError(f"-o {file}: there is no folder {file.absolute().parent}")


def store(file: Path, engine: str, values: Mapping[str, Value], evidence: Mapping[str, Any]) -> None:
    """Replace what the file says about an engine, and keep what it says about others.

    Args:
        file: Made if it is not there.
        engine: Its name.
        values: ``{setting: value}`` that differ from class ``recommended``.
        evidence: What was measured, on what.
    """
    if file.exists():
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
    else:
        document = tomlkit.document()
        for line in _ABOUT.splitlines():
            document.add(tomlkit.comment(line))
        document.add("format", tomlkit.item(FORMAT))
    for part, content in (("settings", values), ("evidence", evidence)):
        if part not in document:
            document.add(part, tomlkit.table(is_super_table=True))
        document[part][engine] = _table(content)
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.write_text(tomlkit.dumps(document), encoding="utf-8")
    unfinished.replace(file)


def _table(content: Mapping[str, Any]) -> Any:
    table = tomlkit.table()
    for name, value in content.items():
        if value is not None:
            table.add(name, value)
    return table
