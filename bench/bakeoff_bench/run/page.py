"""The page at the end of a run: where it goes, found out before the run, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.screen import progress, say, warn
from bakeoff.errors import UsageError
from bakeoff_bench.report.command import PAGE, check_output, is_markdown, write_report
from bakeoff_bench.report.drawing import check_drawing

#: Where it goes if the run itself is not kept.
HERE = Path("bakeoff-report.html")

ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help=f"Where the page goes: DIR/{PAGE}, or {HERE}."),
]
NoReportOption = Annotated[bool, typer.Option("--no-report", help="Write no page.")]


def page_for(report: Path | None, out: Path | None) -> Path | None:
    """Where the page of a run goes; ``None``, with a warning, if what draws it is not installed.

    Args:
        report: ``--report``.
        out: ``--out``, the folder in which the run is kept.

    Raises:
        UsageError: If it cannot be written there, or cannot be drawn though it was asked for.
    """
    try:
        if report is None or not is_markdown(report):
            check_drawing()
    except UsageError as error:
        if report is not None:
            raise
        warn(f"no page: {error}")
        return None
    page = report or (out / PAGE if out is not None else HERE)
    if report is not None or out is None:
        check_output(page, "--report")
    return page


def make_page(folder: Path, page: Path | None, *, keeps: bool) -> None:
    """Write the page of what lies in ``folder``, if there is to be one, and say what it says and where it is.

    ``keeps``: whether the folder stays.
    """
    if page is None:
        return
    progress("making the page ...")
    written = write_report([folder], page, unkept=None if keeps else folder)
    say()
    say(written.answer, "bold")
    say(f"the whole story: {page}" + ("" if is_markdown(page) else "; open it in a browser"))
