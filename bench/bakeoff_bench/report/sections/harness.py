"""`bakeoff bench overhead`: what the adapters cost beside the same saga written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bakeoff_bench.overhead.compare import Word
from bakeoff_bench.overhead.result import (
    CEILINGS,
    GENERATORS,
    RATIOS,
    broken_off,
    ceilings,
    differences,
    generators,
    ratios,
)
from bakeoff_bench.overhead.show import domain
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Mood, Section, Table
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "harness"
_MOODS = {Word.MET: Mood.GOOD, Word.MISSED: Mood.CAUTION, Word.UNKNOWN: Mood.SILENT}


def section(sources: Sequence[Source]) -> Section | None:
    """Four tables per measurement."""
    measured = of_kind(sources, Kind.OVERHEAD)
    if not measured:
        return None
    return Section(
        id=ID,
        title="What the harness itself costs",
        lead=(
            "Each adapter in turns with the same saga written by hand for its engine: same servers, same "
            "settings, services and ledger. A target is met or missed if the whole interval says so.",
            *(f"{one.name}: {domain(one.result)}." for one in measured),
        ),
        blocks=[table for one in measured for table in _tables(one)],
    )


def _tables(source: Source) -> Iterator[Table]:
    result = source.result
    measured = (
        f"n = {result['rounds']} rounds of {result['sagas']} sagas a side; class {result['config_class']}; "
        f"one worker with {result['slots']} slots; rates in a closed loop of 16."
    )
    notes = [f"{one['label']}: {one['note']}." for one in result["contestants"] if one.get("note")]
    measured = " ".join([measured, *notes])
    if not result["complete"]:
        measured = " ".join([measured, *(f"{one}." for one in broken_off(result))])
        measured += " It was broken off: contestants may be missing."
    conditions = {
        "ratios": f"{measured} Adapter and native: medians of the rounds; ratio: geometric mean, Student's t "
        "over paired log-ratios, not corrected for the number of rows.",
        "ceilings": f"{measured} Medians of the rounds: no interval.",
        "generators": f"{measured} What the generator offers is n = 1 load: no interval.",
        "differences": "Settings as they were read, not measured.",
    }
    for name, title, columns, rows in (
        ("ratios", "Adapter against native", RATIOS, ratios(result)),
        ("ceilings", "How near to what the services take without an engine", CEILINGS, ceilings(result)),
        ("generators", "What one generator offers with workers off", GENERATORS, generators(result)),
        (
            "differences",
            "In what the two sides' workers differ",
            ["contestant", "setting", "adapter", "native"],
            differences(result),
        ),
    ):
        yield Table(
            id=slug(ID, source.number, name),
            title=f"{title} ({source.name})",
            columns=columns,
            rows=[[*row[:-1], _last(row[-1])] for row in rows],
            conditions=conditions[name],
            command=source.command,
        )


def _last(text: str) -> Cell | str:
    return Cell(text=text, mood=_MOODS[Word(text)]) if text in set(Word) else text
