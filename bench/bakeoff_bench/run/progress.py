"""Live progress: a table that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bakeoff.cli.screen import Quiet
from bakeoff_bench.run.countdown import Countdown
from bakeoff_bench.run.drive import Tally

#: Seconds between two plain lines of one engine.
_LINE_EVERY_S = 5.0


class Progress:
    """Shows the tallies of all engines while the run goes on; written to standard error.

    Args:
        tallies: ``{engine: tally}``.
        countdown: Of the whole run.
    """

    def __init__(self, tallies: Mapping[str, Tally], countdown: Countdown) -> None:
        self._tallies = tallies
        self._countdown = countdown
        self._console = Console(stderr=True, markup=False, highlight=False)
        self._live: Live | None = None
        self._said: dict[str, tuple[str, float]] = {}

    def __enter__(self) -> Progress:
        if self._console.is_terminal and not Quiet.wanted:
            self._live = Live(
                get_renderable=self._table, console=self._console, refresh_per_second=8, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def changed(self, engine: str) -> None:
        """Print a plain line if the state is new, or the last line is old."""
        if self._live is not None or Quiet.wanted:
            return
        tally, now = self._tallies[engine], time.monotonic()
        state, at = self._said.get(engine, ("", 0.0))
        if tally.state == state and now - at < _LINE_EVERY_S:
            return
        self._said[engine] = (tally.state, now)
        line = f"{engine}: {tally.state}"
        if tally.started:
            line += f", {tally.started} of {tally.planned} started, {tally.settled} settled"
            line += f", {tally.compensated} compensated, {tally.seconds:.1f} s; {self._countdown}"
        self._console.print(line, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line that stays, above the table if there is one."""
        self._console.print(text, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(
            box=None,
            pad_edge=False,
            header_style="bold",
            caption=str(self._countdown),
            caption_justify="left",
        )
        for column in ("engine", "", "planned", "started", "settled", "compensated", "seconds"):
            table.add_column(column, justify="left" if column in ("engine", "") else "right")
        for engine, tally in self._tallies.items():
            numbers = (tally.planned, tally.started, tally.settled, tally.compensated)
            table.add_row(engine, tally.state, *map(str, numbers), f"{tally.seconds:.1f}")
        return table
