"""The contract suite: which promises were kept, test by test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table, cell, worst
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "contract"
COLUMN = "contract"
_MOODS = {"passed": Mood.GOOD, "failed": Mood.BAD}
_SHORT = {"not supported": "absent", "unknown": "unknown", "passed": "passed", "failed": "failed"}


def told(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: sums}``; green only where everything was run and passed."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.CONTRACT):
        for label in source.result["engines"]:
            sums = _sums(source.result["tests"], label)
            text = ", ".join(f"{n} {_SHORT[status]}" for status, n in sums.items() if n) or "not run"
            worst(found, source.label(label), cell(text, _mood(sums), _id(source.number, "matrix")))
    return found


def _mood(sums: Mapping[str, int]) -> Mood:
    if sums["failed"]:
        return Mood.BAD
    if not sums["passed"]:
        return Mood.SILENT
    return Mood.GOOD if sums["passed"] == sum(sums.values()) else Mood.CAUTION


def section(sources: Sequence[Source]) -> Section | None:
    """The matrix of tests and engines, and what an engine declares that it cannot do."""
    suites = of_kind(sources, Kind.CONTRACT)
    if not suites:
        return None
    return Section(
        id=ID,
        title="The promises, test by test",
        lead=(
            "Every test asks a running engine for one promise, with real servers and real workers, and "
            "judges from "
            "the ledger. Absent is what an engine itself declares that it cannot do; that is a result, too.",
        ),
        blocks=[block for suite in suites for block in (_matrix(suite), _absent(suite))],
    )


def _id(number: int, what: str) -> str:
    return slug(ID, what, number)


def _sums(tests: Mapping[str, Any], label: str) -> Counter[str]:
    statuses = Counter(dict.fromkeys(_SHORT, 0))
    statuses.update(test["results"][label]["status"] for test in tests.values() if label in test["results"])
    return statuses


def _matrix(suite: Source) -> Table:
    engines, tests = suite.result["engines"], suite.result["tests"]
    versions = {f"{what} {n}" for about in engines.values() for what, n in about["versions"].items()}
    return Table(
        id=_id(suite.number, "matrix"),
        title=f"Tests and engines ({suite.name})",
        columns=["test", *map(suite.label, engines)],
        rows=[
            [cell(name, note=test["promise"]), *(_status(test, label) for label in engines)]
            for name, test in sorted(tests.items())
        ],
        conditions="n = 1: every test ran once, so there is no interval. "
        f"Class {', '.join(sorted({about['config_class'] for about in engines.values()}))}; "
        f"{', '.join(sorted(versions))}.",
        command=suite.command,
    )


def _status(test: Mapping[str, Any], label: str) -> Cell:
    result = test["results"].get(label)
    if result is None:
        return cell("not run", Mood.SILENT)
    status = result["status"]
    first_line = result["reason"].strip().partition("\n")[0]
    return cell(_SHORT.get(status, status), _MOODS.get(status, Mood.SILENT), note=first_line)


def _absent(suite: Source) -> Table:
    engines = suite.result["engines"]
    capabilities = list(dict.fromkeys(name for about in engines.values() for name in about["claims"]))
    return Table(
        id=_id(suite.number, "capabilities"),
        title=f"What the engines declare ({suite.name})",
        columns=["capability", *map(suite.label, engines)],
        rows=[
            [name, *(_claim(about["claims"].get(name)) for about in engines.values())]
            for name in capabilities
        ],
        conditions="native: the engine's own. pattern: the best-known way to do it with the engine. "
        "absent: no honest way; the reason is with the cell.",
        command="bakeoff engines",
    )


def _claim(claim: Mapping[str, Any] | None) -> Cell:
    if claim is None:
        return cell("not declared", Mood.SILENT)
    mood = {"native": Mood.GOOD, "pattern": Mood.CAUTION}.get(claim["support"], Mood.SILENT)
    text = claim["support"] + (f": {claim['reason']}" if claim["support"] == "absent" else "")
    return cell(text, mood, note=claim["reason"])
