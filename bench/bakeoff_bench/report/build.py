"""From stored runs to a page."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff_bench.report.origins import origin_of
from bakeoff_bench.report.page import Page, Section
from bakeoff_bench.report.sections import (
    adapters,
    answer,
    conditions,
    correctness,
    costs,
    crashes,
    guarantees,
    harness,
    loads,
    promises,
    recovery,
    struck,
    times,
    unknown,
)
from bakeoff_bench.report.sources import NO_FOLDER, Source

#: What a page is called unless somebody says otherwise.
TITLE = "bakeoff: what these engines do with the same sagas"

_COMMANDS = (
    f"{NO_FOLDER} in a command stands for the folder of a run, which is not here; --out {NO_FOLDER} keeps it."
)


def page_of(sources: Sequence[Source], workflow_ids: Sequence[str] = (), title: str = TITLE) -> Page:
    """Every section that has something to say, the answer first.

    Args:
        sources: At least one.
        workflow_ids: Sagas whose traces are drawn; two typical ones if there are none.
        title: Of the page.
    """
    found: list[Section | None] = [
        answer.section(sources),
        correctness.section(sources),
        promises.section(sources),
        crashes.section(sources),
        recovery.section(sources),
        loads.section(sources),
        struck.section(sources),
        costs.section(sources),
        guarantees.section(sources),
        adapters.section(sources),
        harness.section(sources),
        times.section(sources, workflow_ids),
        conditions.section(sources),
        unknown.section(sources),
    ]
    return Page(
        title=title,
        made_of=[origin_of(one) for one in sources],
        sections=[one for one in found if one is not None],
        commands=_COMMANDS if any(one.place.partition("/")[0] == NO_FOLDER for one in sources) else "",
    )
