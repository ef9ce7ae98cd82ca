"""Runs that are hard to come by, stored as `bakeoff report` reads them: broken off, very long, or empty."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.report.synthetic import blocks_of, crash_result, load_result, write

#: ``{contestant: durability tier}`` of the long run.
MANY = {
    "celery[rabbitmq]": "D1 (kill of any process)",
    "celery[valkey]": "none",
    "choreography": "D1 (kill of any process)",
    "dramatiq[valkey]": "D1 for workers only",
    "inline": "none",
    "temporal": "D1 (kill of any process)",
}
KILLS = 2000
_ROUNDS, _SEARCHED = 20, 12
_BLOCKS = {"25%": 0.25, "50%": 0.5, "75%": 0.75, "90%": 0.9}


def partial(runs: Path, folder: Path) -> Path:
    """Of every kind a run that was broken off, or of which something is void, unknown or missing."""
    shutil.copytree(runs / "first", folder / "first")
    _edit(folder / "first" / "manifest.json", _ended_before_two_engines)
    shutil.copytree(runs / "crash", folder / "crash")
    _kill_in_vain(folder / "crash")
    (folder / "contract.json").write_text((runs / "contract.json").read_text())
    _edit(folder / "contract.json", _one_unknown)
    shutil.copytree(runs / "load", folder / "struck")
    _strike(folder / "struck")
    (folder / "loads").mkdir()
    write(folder / "loads", "load.json", _broken_load())
    return folder


def huge(runs: Path, folder: Path) -> Path:
    """Several hundred loads on six contestants, kept as a folder, and two thousand kills."""
    shutil.copytree(runs / "first", folder / "first")
    shutil.copytree(runs / "load", folder / "load")
    result = load_result(MANY, rounds=_ROUNDS, searched=_SEARCHED, shares=_BLOCKS)
    (kept,) = _rows(folder / "load" / "loads.jsonl")
    rows = [_as_kept(row, kept) for row in result["loads"]]
    (folder / "load" / "loads.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def many(manifest: dict[str, Any]) -> None:
        # Everybody has the sagas and the ledger of the only one that really ran.
        kept_about = manifest["contestants"]["inline"]
        abouts = result["contestants"]
        manifest["contestants"] = {
            label: {**kept_about, **about, "engine": "inline", "slug": "inline"}
            for label, about in abouts.items()
        }
        manifest["plan"] |= {"rounds": _ROUNDS, "search": True}

    _edit(folder / "load" / "manifest.json", many)
    shutil.copytree(runs / "crash", folder / "crash")
    _kill_often(folder / "crash")
    return folder


def empty(folder: Path) -> list[Path]:
    """A load, kills and contract tests that were broken off before the first of them was over; the files."""
    load, crash = load_result(searched=0), crash_result()
    load |= {"complete": False, "blocks": [], "loads": [], "comparisons": []}
    for about in load["contestants"].values():
        about |= {"validity": "unknown", "reason": "the run ended before its first load was over"}
    crash |= {"sums": [], "kills": []}
    tests = {"format": 1, "engines": {}, "tests": {}}
    found = {"load": load, "crash": crash, "contract": tests}
    return [write(folder, f"{name}.json", result) for name, result in found.items()]


def _as_kept(row: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """With the histograms of the load that really ran, so its rounds lie around what those say together."""
    measured = {**kept["measured"], **row["measured"]}
    if row["phase"] == "round":
        of_round = 0.9 + 0.2 * row["round"] / _ROUNDS
        measured["latencies"] = {
            name: {**summed, "p50": of_round * 0.0195, "p90": of_round * 0.031, "p95": of_round * 0.036}
            for name, summed in kept["measured"]["latencies"].items()
        }
    return {**row, "label": kept["label"], "measured": measured}


def _edit(file: Path, change: Any) -> None:
    found = json.loads(file.read_text())
    change(found)
    file.write_text(json.dumps(found))


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _ended_before_two_engines(manifest: dict[str, Any]) -> None:
    about = manifest["engines"]["inline"]
    manifest["complete"] = False
    manifest["engines"]["temporal"] = {**about, "blocks": []}
    manifest["engines"]["dramatiq"] = {**about, "lacking": {"signals": "nobody listens"}}


def _one_unknown(contract: dict[str, Any]) -> None:
    about = contract["engines"]["inline"]
    contract["engines"]["temporal"] = about
    first = next(iter(contract["tests"].values()))
    first["results"]["temporal"] = {
        **first["results"]["inline"],
        "status": "unknown",
        "reason": "nobody waits for thirty days",
    }


def _strike(folder: Path) -> None:
    """As if a worker had been killed in the middle of the load."""
    (row,) = _rows(folder / "loads.jsonl")
    row["measured"]["fault"] = {
        **{"fault": "worker-kill", "missed": "", "at_s": 1.5, "in_flight": 2, "in_flight_lost": 0},
        **{"open_before": 1, "open_after": 2, "silent_s": 0.4, "recovery_s": 0.9, "drained_s": 1.2},
    }
    (folder / "loads.jsonl").write_text(json.dumps(row) + "\n")
    _edit(
        folder / "manifest.json", lambda manifest: manifest["plan"].update(fault="worker-kill:charge_payment")
    )


def _kill_in_vain(folder: Path) -> None:
    (kill, *_) = _rows(folder / "kills.jsonl")
    about = json.loads((folder / "manifest.json").read_text())["contestants"]["inline"]
    names = ["inline", "temporal", "dramatiq[valkey]"]

    def more(manifest: dict[str, Any]) -> None:
        manifest["contestants"] = dict.fromkeys(names, about)
        manifest["series"][0] |= {"contestants": names, "kills": 3}

    _edit(folder / "manifest.json", more)
    nothing = {"recovery_s": None, "first_progress_s": None, "detection_s": None}
    kills = [
        {**kill, **nothing, "outcome": "void", "detail": "the saga was over before"},
        {**kill, **nothing, "contestant": "temporal", "outcome": "stuck", "lease_s": 60.0, "open": True},
        {**kill, "contestant": "temporal", "outcome": "retried", "recovery_s": 2.0, "open": False},
        {**kill, **nothing, "contestant": "dramatiq[valkey]", "outcome": "not supported"},
    ]
    (folder / "kills.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kills))


def _kill_often(folder: Path) -> None:
    (kill, *_) = _rows(folder / "kills.jsonl")
    about = json.loads((folder / "manifest.json").read_text())["contestants"]["inline"]
    names = [name for name in MANY if name != "inline"]
    points = [
        f"{step}.{where}" for step in ("reserve", "charge", "ship", "mail") for where in ("before", "after")
    ]
    each = KILLS // (len(names) * len(points))

    def more(manifest: dict[str, Any]) -> None:
        manifest["contestants"] = {name: {**about, "survives": ["worker_kill"]} for name in names}
        manifest["series"][0] |= {"contestants": names, "points": points, "kills": each}

    _edit(folder / "manifest.json", more)
    seconds = cycle([0.4, 1.1, 2.0, 5.5, 12.0])
    rows = (
        {**kill, "contestant": name, "point": point, "outcome": "retried", "open": False}
        | dict.fromkeys(("recovery_s", "first_progress_s", "detection_s"), (1 + 0.2 * place) * next(seconds))
        | {"lease_s": float(place)}
        for place, name in enumerate(names)
        for point in points
        for _ in range(each)
    )
    (folder / "kills.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _broken_load() -> dict[str, Any]:
    """Void rounds, a broken ledger, overload, a contestant without a turn; and it was broken off."""
    result = load_result(rounds=3)
    result["complete"] = False
    loads = [row for row in result["loads"] if row["contestant"] != "dramatiq[valkey]"]
    for row in _of(loads, "celery[valkey]", "50%"):
        row["measured"]["void"] = ["the generator was late"]
    for row in islice(_of(loads, "temporal", "90%"), 1):
        row["measured"]["void"] = ["other processes used 40% of this machine's CPUs meanwhile"]
    for row in _of(loads, "inline", "90%"):
        row["measured"]["kept_up"] = False
    for row in _of(loads, "celery[valkey]", "90%"):
        row["measured"] |= {"validity": "invalid", "reasons": ["I2: a saga did not settle"]}
    about = result["contestants"]
    about["dramatiq[valkey]"] |= {
        "validity": "unknown",
        "reason": "the run ended before its first load was over",
    }
    del about["dramatiq[valkey]"]["sustained"]
    about["temporal"]["sustained"] |= {"rate_per_s": None, "closest": "95th percentile of 2.4 s at 5/s"}
    about["inline"]["sustained"] |= {"bound": "generator"}
    comparisons = [one for one in result["comparisons"] if "dramatiq[valkey]" not in (one["a"], one["b"])]
    return {**result, "loads": loads, "blocks": blocks_of(loads), "comparisons": comparisons}


def _of(loads: list[dict[str, Any]], label: str, block: str) -> Iterator[dict[str, Any]]:
    return (row for row in loads if (row["contestant"], row["block"]) == (label, block))
