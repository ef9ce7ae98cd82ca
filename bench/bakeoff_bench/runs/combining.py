"""One load run out of several of the same plan."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.run.left import LEFT
from bakeoff_bench.run.stored import reading

#: What must not differ, or rounds of different things would be pooled.
_SAME = ("plan", "shape")
#: Of a pooled run each has its own.
_ORIGIN = ("created_at", "command", "machine", "git")
_OF_ONE_RUN = ("round_s", "rounds_in_time", "machine_speed", "pilot", "world")
_SAME_OF_CONTESTANT = ("settings", "raw", "config_class", "versions")
#: What each run found out by itself, and its contestants' rounds do not.
_FOUND_BY_ONE_RUN = ("sustained", "throughput_per_s", "generator_alone")
#: By so much the rates may differ that a share came to in each run.
_NEAR = 0.1


def combined(runs: Sequence[Path], out: Path) -> LoadFolder:
    """Copy every run into a new folder, one after the other, with the rounds numbered on.

    Each contestant of each run keeps its own part with its ledger: ``NAME`` becomes ``NAME.1``, ``NAME.2``.

    Raises:
        UsageError: If there is only one, they differ, or ``out`` cannot be used.
    """
    if len(runs) < 2:
        raise UsageError("combine: name at least two runs")
    if len({path.resolve() for path in runs}) < len(runs):
        raise UsageError("combine: the same run is named twice; its rounds would count twice")
    manifests = []
    for path in runs:
        with reading(path):
            manifests.append(LoadFolder(path).manifest())
    for path, manifest in zip(runs[1:], manifests[1:], strict=True):
        _check_same(runs[0], manifests[0], path, manifest)
        _check_rates(runs[0], path)
    folder = LoadFolder.create(out)
    rounds = 0
    parts: dict[str, list[str]] = {}
    for number, (path, manifest) in enumerate(zip(runs, manifests, strict=True), start=1):
        source = LoadFolder(path)
        for label, about in manifest["contestants"].items():
            slug = f"{about['slug']}.{number}"
            if source.contestant(about["slug"]).exists():
                shutil.copytree(source.contestant(about["slug"]), folder.contestant(slug))
                parts.setdefault(label, []).append(slug)
        rows = source.rows()
        for row in rows:
            part = f"{manifest['contestants'][row['contestant']]['slug']}.{number}"
            folder.append({**row, "round": row["round"] + rounds, "part": part})
        rounds += max((row["round"] for row in rows), default=-1) + 1
    first = {name: value for name, value in manifests[0].items() if name not in _OF_ONE_RUN}
    contestants = {
        label: {**about, "parts": parts.get(label, [])} for label, about in first["contestants"].items()
    }
    for about in contestants.values():
        for name in (LEFT, *_FOUND_BY_ONE_RUN):  # names on servers begin with another prefix
            about.pop(name, None)
    folder.write_manifest(
        {
            **first,
            "contestants": contestants,
            "complete": all(one["complete"] for one in manifests),
            "combined": [_of_one(one) for one in manifests],
        }
    )
    return folder


def _of_one(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a run found out that is not that of all of them."""
    contestants = {
        label: {name: about[name] for name in _FOUND_BY_ONE_RUN if name in about}
        for label, about in manifest["contestants"].items()
    }
    return {
        **{name: manifest[name] for name in (*_ORIGIN, *_OF_ONE_RUN) if name in manifest},
        "contestants": contestants,
    }


def _check_rates(path: Path, other: Path) -> None:
    """A share of one's own rate is another rate where that was found to be another one.

    Raises:
        UsageError: If it is by more than a tenth.
    """
    then, now = _rates(path), _rates(other)
    for (label, block), rate in then.items():
        own = now.get((label, block), rate)
        if abs(own - rate) > _NEAR * rate:
            raise UsageError(
                f"{other}: {block} of {label} is {own:.1f} sagas/s, and {rate:.1f} in {path}; latencies at "
                "unlike rates are not pooled. Name the rate for both: bakeoff load --rate"
            )


def _rates(path: Path) -> dict[tuple[str, str], float]:
    """``{(contestant, block): arrivals per second}`` of the open loads of the rounds."""
    with reading(path):
        rows = [row for row in LoadFolder(path).rows() if row["phase"] == "round" and not row["users"]]
        return {(row["contestant"], row["block"]): float(row["rate"]) for row in rows}


def _check_same(path: Path, then: dict[str, Any], other: Path, now: dict[str, Any]) -> None:
    for what in _SAME:
        if then[what] != now[what]:
            raise UsageError(f"{other} has another {what} than {path}; only rounds of the same are pooled")
    if set(then["contestants"]) != set(now["contestants"]):
        raise UsageError(f"{other} has other contestants than {path}")
    for label, about in then["contestants"].items():
        for what in _SAME_OF_CONTESTANT:
            if about[what] != now["contestants"][label][what]:
                raise UsageError(f"{other}: {what} of {label} are not those of {path}")
