"""`bakeoff bench lines`: what each capability takes in an adapter."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Section, Table
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "adapters"


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
    engines = source.result["engines"]
    names = sorted({name for counted in engines.values() for name in counted})
    return Table(
        id=slug(ID, source.number),
        title=f"Logical lines ({source.name})",
        columns=["capability", *engines],
        rows=[
            *([name, *(str(counted.get(name, 0)) for counted in engines.values())] for name in names),
            ["in all", *(str(sum(counted.values())) for counted in engines.values())],
        ],
        command=source.command,
    )
