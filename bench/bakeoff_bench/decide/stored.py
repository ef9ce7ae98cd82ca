"""Facts in a file: what a decision rests on, without the folders of the runs, which are large."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff_bench.decide.facts import Facts, Kills, Load, Promise
from bakeoff_bench.decide.measures import Measure, Value
from bakeoff_bench.decide.origins import Origin
from bakeoff_bench.run import stored
from bakeoff_bench.run.output import write_file
from bakeoff_bench.run.stored import reading

#: Format 1 had no intervals and loads beside values, no kills that nobody saw to their end, no tests that
#: nobody could judge, and said of servers not where that stood.
_KIND, _FORMAT = "facts", 2


def is_facts(path: Path) -> bool:
    """Whether ``write_facts`` wrote this file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("kind") == _KIND


def write_facts(file: Path, everyone: Sequence[Facts], origins: Sequence[Origin]) -> None:
    """Write facts down, with where they come from.

    Raises:
        UsageError: If the file cannot be written.
    """
    about = {
        "kind": _KIND,
        "format": _FORMAT,
        "bakeoff": version("bakeoff"),
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_of": [one.to_json() for one in origins],
        "facts": [asdict(one) for one in everyone],
    }
    try:
        write_file(file, json.dumps(about, indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"--facts {file}: cannot be written ({error.strerror})") from error


def read_facts(file: Path) -> list[Facts]:
    """What ``write_facts`` was given first.

    Raises:
        UsageError: If the file is damaged, or of another format.
    """
    with reading(file):
        found = _read(file)
        facts = (
            found["facts"]
            if found["format"] == _FORMAT
            else [_of_format_1(one, file) for one in found["facts"]]
        )
        return [_from_json(one) for one in facts]


def read_origins(file: Path) -> list[Origin]:
    """What it was given last; errors as of ``read_facts``."""
    with reading(file):
        return [Origin.from_json(one) for one in _read(file).get("made_of", [])]


def _read(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text(encoding="utf-8"))
    stored.check("facts", found, {"format": int, "facts": list})
    if found["format"] not in (1, _FORMAT):
        raise UsageError(f"{file} has format {found['format']}; this bakeoff reads formats 1 and {_FORMAT}")
    return dict(found)


def _of_format_1(found: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """What that format left out, as far as it follows.

    A kill that landed has a time of recovery or is without one, so those that were not judged can be counted.
    Of tests that nobody could judge nothing is left; none are assumed.
    """
    stored.check("facts of a contestant", dict(found), {"kills": dict, "measures": dict})
    kills = {
        fault: {**one, "unseen": max(0, len(one["recovered_s"]) + one["unrecovered"] - one["judged"])}
        for fault, one in found["kills"].items()
    }
    measures = {
        name: {"value": value, "evidence": where} for name, (value, where) in found["measures"].items()
    }
    return {**found, "kills": kills, "measures": measures, "servers_evidence": str(file)}


def _from_json(found: Mapping[str, Any]) -> Facts:
    stored.check("facts of a contestant", dict(found), {one.name: object for one in fields(Facts)})
    return Facts(
        label=str(found["label"]),
        kills={name: Kills(**one) for name, one in found["kills"].items()},
        loads=[Load(**one) for one in found["loads"]],
        capabilities={name: Promise(**one) for name, one in found["capabilities"].items()},
        promises={name: Promise(**one) for name, one in found["promises"].items()},
        servers=found["servers"],
        servers_evidence=str(found["servers_evidence"]),
        measures={Measure(name): Value(**one) for name, one in found["measures"].items()},
        stand_in=str(found["stand_in"]),
    )
