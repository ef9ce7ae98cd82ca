"""Facts in a file: what a decision rests on, without the folders of the runs, which are large."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff_bench.decide.facts import Facts, Kills, Load, Measure, Promise
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run import stored
from bakeoff_bench.run.output import write_file
from bakeoff_bench.run.stored import reading
from bakeoff_bench.significance import proportion

_KIND, _FORMAT = "facts", 1


def is_facts(path: Path) -> bool:
    """Whether ``write_facts`` wrote this file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("kind") == _KIND


def write_facts(file: Path, everyone: Sequence[Facts], sources: Sequence[Source]) -> None:
    """Write facts down, with where they come from.

    Raises:
        UsageError: If the file cannot be written.
    """
    about = {
        "kind": _KIND,
        "format": _FORMAT,
        "bakeoff": version("bakeoff"),
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_of": [
            {
                "name": one.name,
                "kind": str(one.kind),
                "command": one.command,
                "created_at": one.about.get("created_at"),
                "machine": one.about.get("machine"),
            }
            for one in sources
        ],
        "facts": [_to_json(one) for one in everyone],
    }
    try:
        write_file(file, json.dumps(about, indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"--facts {file}: cannot be written ({error.strerror})") from error


def read_facts(file: Path) -> list[Facts]:
    """Reverse of ``write_facts``.

    Raises:
        UsageError: If the file is damaged, or of another format.
    """
    with reading(file):
        found = json.loads(file.read_text(encoding="utf-8"))
        stored.check("facts", found, {"format": int, "facts": list})
        if found["format"] != _FORMAT:
            raise UsageError(f"{file} has format {found['format']}; this bakeoff reads format {_FORMAT}")
        return [_from_json(one) for one in found["facts"]]


def merged(everyone: Sequence[Facts]) -> list[Facts]:
    """One of each label."""
    found: dict[str, Facts] = {}
    for one in everyone:
        old = found.get(one.label)
        found[one.label] = one if old is None else _both(old, one)
    return [found[label] for label in sorted(found)]


def _both(old: Facts, new: Facts) -> Facts:
    """Kills add up. Loads of a server that is not the same are not mixed: the later ones count."""
    same = new.stand_in == old.stand_in or not new.loads
    faults = dict.fromkeys([*old.kills, *new.kills])
    return replace(
        new,
        kills={name: _all_kills(old.kills.get(name), new.kills.get(name)) for name in faults},
        loads=[*old.loads, *new.loads] if same else new.loads,
        capabilities={**old.capabilities, **new.capabilities},
        promises={**old.promises, **new.promises},
        servers=old.servers if new.servers is None else new.servers,
        measures={**(old.measures if same else {}), **new.measures},
        stand_in=new.stand_in if new.loads else old.stand_in,
    )


def _all_kills(old: Kills | None, new: Kills | None) -> Kills:
    if old is None or new is None:
        found = old or new
        assert found is not None
        return found
    judged, harmed = old.judged + new.judged, old.harmed + new.harmed
    interval = proportion(harmed, judged)
    return Kills(
        judged=judged,
        harmed=harmed,
        upper=interval[1] if interval else None,
        recovered_s=[*old.recovered_s, *new.recovered_s],
        unrecovered=old.unrecovered + new.unrecovered,
        evidence=f"{old.evidence}, {new.evidence}",
        gap=new.gap,
        short_leases=old.short_leases or new.short_leases,
    )


def _to_json(one: Facts) -> dict[str, Any]:
    return {**asdict(one), "measures": {str(key): list(value) for key, value in one.measures.items()}}


def _from_json(found: Mapping[str, Any]) -> Facts:
    stored.check("facts of a contestant", dict(found), {one.name: object for one in fields(Facts)})
    return Facts(
        label=str(found["label"]),
        kills={name: Kills(**one) for name, one in found["kills"].items()},
        loads=[Load(**one) for one in found["loads"]],
        capabilities={name: Promise(**one) for name, one in found["capabilities"].items()},
        promises={name: Promise(**one) for name, one in found["promises"].items()},
        servers=found["servers"],
        measures={
            Measure(name): (float(value), str(where)) for name, (value, where) in found["measures"].items()
        },
        stand_in=str(found["stand_in"]),
    )
