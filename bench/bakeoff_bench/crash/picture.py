"""Recovery against the lease, kill by kill: what an engine adds to its lease is the distance to the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.errors import UsageError
from bakeoff_bench.crash.cells import NOT_OBSERVED, group, is_harmful, outcome_word
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.run.journal import Row
from bakeoff_bench.run.output import check_file

PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Draw recovery against the lease: a .svg, .png or .pdf."),
]
#: What tells nothing about recovery.
_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)
#: Seconds; with a longer lease in it the axes are logarithmic beyond one second.
_LINEAR_UP_TO_S = 120.0
_FORMATS = (".svg", ".png", ".pdf")
_MARKERS = "osD^vP*X"


def check_plot(file: Path | None) -> None:
    """Find out before the run that no picture can be drawn.

    Raises:
        UsageError: If the file's ending is none that is known, or the drawing library is not installed.
    """
    if file is None:
        return
    if file.suffix not in _FORMATS:
        raise UsageError(f"--plot {file}: give a file that ends in {', '.join(_FORMATS)}")
    check_file("--plot", file)
    if find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib: pip install 'bakeoff[bench]'")


def draw(result: Mapping[str, Any], file: Path) -> None:
    """Draw a result's kills into ``file``.

    A dot is a kill: its lease in seconds (0 where the end of a connection is noticed at once) and the time
    until everything was over. An open triangle had not recovered by its deadline; a cross came to harm.
    """
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rows = [row for row in result["kills"] if row["outcome"] not in _SILENT]
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    rcParams["svg.fonttype"] = "none"  # words stay words: for those who search, and for screen readers
    axes = figure.subplots()
    for number, (name, own) in enumerate(_by_engine(rows, result["manifest"]).items()):
        colour, marker = f"C{number}", _MARKERS[number % len(_MARKERS)]
        recovered = [row for row in own if row["recovery_s"] is not None and not is_harmful(row)]
        late = [row for row in own if row["recovery_s"] is None and outcome_word(row) == NOT_OBSERVED]
        harmed = [row for row in own if is_harmful(row)]
        label = f"{name}, {len(own)} kills"
        for what, kind, style in (
            (recovered, "recovered", {"c": colour, "marker": marker, "alpha": 0.7, "label": label}),
            (late, "not observed", {"marker": "^", "facecolors": "none", "edgecolors": colour}),
            (harmed, "harmed", {"c": colour, "marker": "x"}),
        ):
            axes.scatter(*_xy(what), gid=f"{kind} {name}", **style)
    longest_s = max([row["lease_s"] or 0.0 for row in rows], default=1.0)
    axes.plot([0, longest_s], [0, longest_s], color="grey", linestyle="--", label="recovery = lease")
    if longest_s > _LINEAR_UP_TO_S:
        axes.set_xscale("symlog", linthresh=1)
        axes.set_yscale("symlog", linthresh=1)
    axes.set_xlabel("lease, seconds (0: none, a broken connection is noticed)")
    axes.set_ylabel("kill to full recovery, seconds")
    axes.set_title("Recovery against the lease; open triangle: not within the deadline; cross: harmed")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    try:
        figure.savefig(file, metadata={"Title": "bakeoff: recovery against the lease"})
    except OSError as error:
        raise UsageError(f"--plot {file}: cannot be written ({error.strerror})") from error


def _xy(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    lasted = [row["deadline_s"] if row["recovery_s"] is None else row["recovery_s"] for row in rows]
    return [row["lease_s"] or 0.0 for row in rows], lasted


def _by_engine(rows: Sequence[Row], manifest: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Contestants that differ in settings alone are one: their leases are what is drawn."""

    def name(row: Row) -> str:
        broker = manifest["contestants"][row["contestant"]]["settings"].get("broker")
        return f"{row['engine']}[{broker}]" if broker else str(row["engine"])

    return group(rows, name)
