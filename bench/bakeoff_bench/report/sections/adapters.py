"""`bakeoff bench lines`: what each capability takes in an adapter, in lines and in settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bakeoff_bench.lines.attribution import DECLARED, NOT_RUN, SHARED
from bakeoff_bench.lines.knobs import TUNING, by_need, is_changed
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Section, Table
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "adapters"
#: Lines that belong to no capability, below those that do.
_COUNTED = "Counted in n = 1 run of the suite: no interval."
_WORDS = (SHARED, DECLARED, NOT_RUN)


def section(sources: Sequence[Source]) -> Section | None:
    """A table per measurement."""
    counted = of_kind(sources, Kind.LINES)
    if not counted:
        return None
    return Section(
        id=ID,
        title="What it takes to build",
        lead=(
            "Logical lines of each adapter by the capability that needs them: a line belongs to a capability "
            "if every contract test that runs it asks for that one.",
        ),
        blocks=[_table(one) for one in counted],
    )


def _table(source: Source) -> Table:
    """Lines alone, or with the settings beside them where they were kept."""
    engines, knobs = source.result["engines"], source.result.get("settings", {})
    if not knobs:
        return _lines(source, engines)
    needed = {name: by_need(knobs.get(name, [])) for name in engines}
    names = {name for found in (*engines.values(), *needed.values()) for name in found}
    last = [name for name in (*_WORDS, TUNING) if name in names]
    rows: list[list[str]] = []
    for name in [*sorted(names.difference(last)), *last]:
        rows.append([name])
        for engine, counted in engines.items():
            rows[-1] += ["-" if name == TUNING else str(counted.get(name, 0))]
            # An arrow of one character is not broken between two lines.
            rows[-1] += [", ".join(needed[engine].get(name, [])).replace("->", "\N{RIGHTWARDS ARROW}") or "-"]
    rows.append(["in all"])
    for engine, counted in engines.items():
        declared = knobs.get(engine, [])
        rows[-1] += [
            str(sum(counted.values())),
            f"{sum(map(is_changed, declared))} of {len(declared)} changed",
        ]
    return Table(
        id=slug(ID, source.number),
        title=f"Logical lines and settings ({source.name})",
        columns=["capability", *["lines", "settings"] * len(engines)],
        groups=[(name, 2) for name in engines],
        rows=rows,
        conditions=f"{_COUNTED} A setting stands at every capability and guarantee that its engine declares "
        "it for: as shipped \N{RIGHTWARDS ARROW} as recommended, or one value where it is recommended as it "
        "is shipped.",
        command=source.command,
    )


def _lines(source: Source, engines: Mapping[str, Mapping[str, int]]) -> Table:
    names = sorted({name for counted in engines.values() for name in counted})
    return Table(
        id=slug(ID, source.number),
        title=f"Logical lines ({source.name})",
        columns=["capability", *engines],
        rows=[
            *([name, *(str(counted.get(name, 0)) for counted in engines.values())] for name in names),
            ["in all", *(str(sum(counted.values())) for counted in engines.values())],
        ],
        conditions=_COUNTED,
        command=source.command,
    )
