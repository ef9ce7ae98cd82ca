"""A page as one HTML file: style sheet and drawings in it, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from bakeoff_bench.report.page import Cell, Figure, Mood, Page

#: What a mood is called where a colour cannot be seen; nothing where the cell's words say it.
_SPOKEN: Mapping[Mood, str] = {
    Mood.GOOD: "as promised",
    Mood.CAUTION: "caution",
    Mood.BAD: "harm",
    Mood.SILENT: "says nothing",
}


def html_of(page: Page) -> str:
    """Fill the template."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    templates = Environment(
        loader=PackageLoader("bakeoff_bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.tests["figure"] = lambda block: isinstance(block, Figure)
    templates.filters["cell"] = lambda one: one if isinstance(one, Cell) else Cell(text=str(one))
    templates.filters["spoken"] = lambda one: _SPOKEN.get(one.mood, "")
    templates.filters["drawing"] = Markup  # ours, and escaped where it was drawn
    style = templates.get_template("report.css").render()
    return templates.get_template("report.html").render(
        page=page, style=Markup(style), version=version("bakeoff")
    )
