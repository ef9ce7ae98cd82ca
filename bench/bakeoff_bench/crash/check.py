"""``bakeoff check`` of a crash run: the matrix as it stands, and whether the judge still says the same."""

from __future__ import annotations

from pathlib import Path

import typer

from bakeoff.cli.screen import progress, say
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.picture import draw
from bakeoff_bench.crash.rejudge import rejudged
from bakeoff_bench.crash.result import failed, result_of, show
from bakeoff_bench.run.countdown import span
from bakeoff_bench.run.output import write_json
from bakeoff_bench.run.stored import reading

#: Rough seconds of judging one kill on two cores; who waits longer than that is told.
_KILL_S, _WORTH_TELLING_S = 0.02, 4.0


def check_crash(directory: Path, json_: Path | None, plot: Path | None = None) -> None:
    """Judge every kill again; the exit code is that of ``bakeoff crash``, or 1 if the judge differs."""
    folder = CrashFolder(directory)
    with reading(directory):
        result = result_of(folder)
        if (seconds := _KILL_S * len(result["kills"])) >= _WORTH_TELLING_S:
            progress(f"judging {len(result['kills'])} kills again: about {span(seconds)} ...")
        again = list(rejudged(folder))
        show(result)
    differing = [(row, outcome, detail) for row, outcome, detail in again if outcome != row["outcome"]]
    say()
    for row, outcome, detail in differing:
        where = f"{row['contestant']}, {row['fault']} at {row['point']}"
        say(f"{where}: was {row['outcome']}, is judged {outcome} now: {detail}", style="bold red")
    say(f"{len(again)} kills judged again, {len(again) - len(differing)} the same")
    planned = sum(
        len(one["contestants"]) * len(one["faults"]) * len(one["points"]) * one["kills"]
        for one in result["manifest"]["series"]
    )
    left = planned - len(result["kills"])
    if left:
        say(f"{left} kills are not made yet: bakeoff crash --resume {directory}")
    write_json(json_, result)
    if plot is not None:
        draw(result, plot)
    if failed(result) or differing:
        raise typer.Exit(1)
