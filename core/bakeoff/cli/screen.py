"""What people read: plain lines and tables on standard output, errors and warnings on standard error."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bakeoff.cli.columns import GAP, parts

#: Columns of a table that goes into a file or a pipe.
_PIPE_WIDTH = 140


def console(*, error: bool = False) -> Console:
    """A console that prints ``[all]`` as it stands: nothing of ours is markup."""
    return Console(stderr=error, markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(text: str = "", style: str | None = None) -> None:
    """One line for the user, visible at once even through a pipe."""
    console().print(text, style=style)
    sys.stdout.flush()


class Quiet:
    """Whether progress is kept to ourselves (``--quiet``); what is found is said all the same."""

    wanted = False


def progress(text: str) -> None:
    """One line about something that goes on, unless nobody wants to hear it."""
    if not Quiet.wanted:
        say(text)


def warn(text: str) -> None:
    """One line about something that does not stop the command."""
    console(error=True).print(f"warning: {text}", style="yellow")


def complain(text: str) -> None:
    """Why the command ends."""
    console(error=True).print(f"error: {text}", style="red")


def show_json(data: Any) -> None:
    """JSON for scripts, and nothing else on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")
    sys.stdout.flush()


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Mapping[str, str] | None = None,
    keys: int = 1,
) -> None:
    """A table without a frame, in several parts where the terminal is too narrow for all of its columns.

    Args:
        columns: Headings.
        rows: Cells.
        styles: Colours a cell by its text.
        keys: So many columns at the left say what a row is about: every part has them.
    """
    wide = console()
    if not wide.is_terminal:
        wide.width = _PIPE_WIDTH
    for number, table in enumerate(_tables(columns, rows, styles or {}, keys, wide.width)):
        if number:
            wide.print()
        wide.print(table, soft_wrap=False)


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, keys: int = 1
) -> list[str]:
    """The same table without colours, for whoever has a screen of their own, ``width`` characters wide."""
    paper = io.StringIO()
    pen = Console(file=paper, width=width, color_system=None, markup=False, highlight=False, emoji=False)
    for number, table in enumerate(_tables(columns, rows, {}, keys, width)):
        if number:
            pen.print()
        pen.print(table)
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def _tables(
    columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str], keys: int, width: int
) -> Iterator[Table]:
    for together, widths in parts(columns, rows, width, keys):
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
        for column, wide in zip(together, widths, strict=True):
            table.add_column(columns[column], overflow="fold", width=wide)
        for row in rows:
            table.add_row(*(_cell(row[column], styles.get(row[column])) for column in together))
        yield table


def _cell(text: str, style: str | None) -> Any:
    from rich.text import Text

    return Text(text, style=style or "")
