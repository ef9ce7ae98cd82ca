"""Drawings by matplotlib that take their colours from the page around them, so that they suit light and dark.

Matplotlib draws with colours that stand for a role; the finished drawing has the roles' names instead.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING, Any

from bakeoff.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

#: Contestants that can be told apart by colour, marker and line; others begin again.
SERIES = 9
_MARKERS = "osD^vP*Xd"
_LINES = ("-", "--", "-.", ":")
#: ``{colour that matplotlib draws: name in the page's style sheet}``.
_ROLES = {
    "#010203": "--ink",
    "#010204": "--muted",
    "#010205": "--line",
    "#010206": "--good",
    "#010207": "--caution",
    "#010208": "--bad",
    "#010209": "--paper",
    **{f"#0103{number:02x}": f"--series-{number}" for number in range(SERIES)},
}
_BY_NAME = {name: colour for colour, name in _ROLES.items()}
INK, MUTED, GOOD, CAUTION, BAD = (
    _BY_NAME[f"--{role}"] for role in ("ink", "muted", "good", "caution", "bad")
)
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "bakeoff",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": _BY_NAME["--line"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.color": _BY_NAME["--paper"],
}
_WIDTH_IN = 5.6
_LEGEND_COLUMNS = 2

#: Numbers of the drawings of one process: every ``id`` of a page is there once.
_number = count(1)


def check_drawing() -> None:
    """Find out early that nothing can be drawn.

    Raises:
        UsageError: If the libraries are not installed.
    """
    for name in ("matplotlib", "jinja2"):
        if find_spec(name) is None:
            raise UsageError(f"a report needs {name}: pip install 'bakeoff[bench]'")


def colour(number: int) -> str:
    """Of the contestant of this number."""
    return _BY_NAME[f"--series-{number % SERIES}"]


def marker(number: int) -> str:
    """Of the contestant of this number: a colour alone tells nothing to many."""
    return _MARKERS[(number + number // SERIES) % len(_MARKERS)]


def line(number: int) -> str:
    """Of the contestant of this number."""
    return _LINES[number % len(_LINES)]


def plain(axis: Axis) -> None:
    """Numbers as people write them on a logarithmic axis: 0.05, not a power of ten."""
    for set_ in (axis.set_major_formatter, axis.set_minor_formatter):
        set_(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "125" else "")


def drawn(title: str, told: str, draw: Callable[[Axes], None], height_in: float = 3.4) -> str:
    """Draw one diagram, its legend below it; return it as SVG that can stand in a page.

    Args:
        title: For those who do not see it.
        told: What is to be seen, for the same.
        draw: Is given the axes.
        height_in: Inches.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    file = io.StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        _name_marks(axes)
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=_LEGEND_COLUMNS)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _for_a_page(file.getvalue(), title, told)


def _name_marks(axes: Axes) -> None:
    """Give what stands for a number an ``id``: axes and grid have none, lines that only guide their own."""
    for number, mark in enumerate((*axes.lines, *axes.collections, *axes.patches)):
        if mark.get_gid() is None:
            mark.set_gid(f"mark-{number}")


def _for_a_page(svg: str, title: str, told: str) -> str:
    prefix = f"drawing-{next(_number)}"
    svg = svg[svg.index("<svg") :]
    # Its style sheet is for every element of the page that it stands in; ours has it for drawings.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    for drawn_as, name in _ROLES.items():
        svg = svg.replace(drawn_as, f"var({name})")
    head, rest = svg.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    names = f'role="img" aria-labelledby="{prefix}-title {prefix}-told"'
    words = (
        f'<title id="{prefix}-title">{escape(title)}</title><desc id="{prefix}-told">{escape(told)}</desc>'
    )
    return f"{head} {names}>{words}{rest}"
