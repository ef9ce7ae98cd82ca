"""``bakeoff report``: from folders to a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from bakeoff.cli.screen import say, warn
from bakeoff.errors import UsageError
from bakeoff_bench.report.drawing import check_drawing
from bakeoff_bench.run.output import check_file, write_file
from bakeoff_bench.run.said import command_line, shown
from bakeoff_bench.run.stored import reading

PAGE = "report.html"
DEFAULT = Path(PAGE)
_MARKDOWN = ".md"
_MB = 1_000_000
#: Bytes of a page that mail and phones take well.
MOST_BYTES = 5 * _MB


def report(
    directories: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders that `bakeoff run`, `crash`, `sweep` or `load` wrote (--out), their results as "
            "JSON (--json), and contract results (pytest --contract-json FILE).",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The page; it is replaced if it is there. Markdown if it ends in .md, else HTML.",
        ),
    ] = DEFAULT,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What the page is called.")
    ] = None,
    saga: Annotated[
        list[str] | None,
        typer.Option(
            "--saga", metavar="ID", help="Draw where this saga's time went, on every engine; repeatable."
        ),
    ] = None,
) -> None:
    """Make one page of stored runs: the answer first, then all the evidence.

    The page is one file, works offline, and can be sent to anybody; as Markdown it has no pictures. What
    `run` and `load` kept is judged again for it; `bakeoff check` does that for kills.

    \b
    Examples:
        bakeoff report runs/first
        bakeoff report runs/first runs/crash runs/load contract.json -o report.html
        bakeoff report runs/first --saga order-123
        bakeoff report load.json -o load.md --title "Under load"
    """
    if not is_markdown(output):
        check_drawing()
    check_output(output, reads=directories)
    size = write_report(directories, output, saga or (), title=title).size
    seen = "" if is_markdown(output) else "; open it in a browser"
    say(f"written: {output} ({size / _MB:.1f} MB){seen}")


def is_markdown(output: Path) -> bool:
    """Whether a page of this name is Markdown; any other is HTML."""
    return output.suffix.lower() == _MARKDOWN


class Written(NamedTuple):
    """A page: its size in bytes, and the paragraph that it opens with."""

    size: int
    answer: str


def write_report(
    directories: list[Path],
    output: Path,
    workflow_ids: list[str] | tuple[()] = (),
    unkept: Path | None = None,
    title: str | None = None,
) -> Written:
    """Make the page.

    Args:
        directories: What it is about.
        output: Where it goes.
        workflow_ids: Sagas whose traces are drawn.
        unkept: A folder that is gone afterwards.
        title: Of the page; ``None``: the usual one.

    Raises:
        UsageError: If a folder is none of ours or is damaged, or the page cannot be written.
    """
    # Drawing is heavy, and an extra.
    from bakeoff_bench.report.build import TITLE, page_of
    from bakeoff_bench.report.markdown import markdown_of
    from bakeoff_bench.report.render import html_of
    from bakeoff_bench.report.sections.times import drawable, undrawn
    from bakeoff_bench.report.sources import read_sources

    sources = read_sources(directories, unkept)
    for workflow_id in workflow_ids:
        if not any(drawable(source, workflow_id) for source in sources):
            raise UsageError(f"--saga {workflow_id}: {undrawn(sources, workflow_id)}")
    again = command_line() if unkept else _again(directories, output, workflow_ids, title)
    with reading(directories[0] if len(directories) == 1 else Path("one of these runs")):
        page = page_of(sources, workflow_ids, title or TITLE)
        text = markdown_of(page, again) if is_markdown(output) else html_of(page)
    try:
        write_file(output, text)
    except OSError as error:
        raise UsageError(f"-o {output}: cannot be written ({error.strerror})") from error
    size = output.stat().st_size if output.is_file() else len(text)
    if size > MOST_BYTES:
        warn(
            f"{output} is {size / _MB:.1f} MB, more than {MOST_BYTES / _MB:g}, much for mail and phones: "
            "give fewer runs, or write Markdown (-o FILE.md)"
        )
    return Written(size, " ".join(page.sections[0].lead))


def _again(directories: list[Path], output: Path, workflow_ids: Sequence[str], title: str | None) -> str:
    """The command that makes a page."""
    words = ["bakeoff", "report", *map(str, directories), "-o", str(output)]
    words += [word for workflow_id in workflow_ids for word in ("--saga", workflow_id)]
    return shown([*words, *(["--title", title] if title else [])])


def check_output(output: Path, option: str = "-o", reads: Sequence[Path] = ()) -> None:
    """``check_file`` of the page, before everything is judged."""
    check_file(option, output, reads=reads)
