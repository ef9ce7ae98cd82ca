"""A page as one HTML file: style sheet and drawings in it, nothing fetched from anywhere."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from importlib.metadata import version

from bakeoff_bench.report.page import Cell, Figure, Mood, Page, Table

#: What a mood is called where a colour cannot be seen; nothing where the cell's words say it.
_SPOKEN: Mapping[Mood, str] = {
    Mood.GOOD: "as promised",
    Mood.CAUTION: "caution",
    Mood.BAD: "harm",
    Mood.SILENT: "says nothing",
}


#: Columns beyond which a table is printed smaller.
_WIDE = 9


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
    templates.filters["looks"] = _looks
    style, script = (templates.get_template(f"report.{kind}").render() for kind in ("css", "js"))
    return templates.get_template("report.html").render(
        page=page,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(script),
        version=version("bakeoff"),
    )


def _looks(table: Table) -> str:
    """Its classes in the style sheet."""
    words = ["beside"] if table.groups else []
    return " ".join([*words, *(["wide"] if len(table.columns) > _WIDE else [])])


def _policy(script: str) -> str:
    """A content security policy: nothing is fetched, and no script runs but this one.

    Source:
        https://www.w3.org/TR/CSP3/
    """
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
