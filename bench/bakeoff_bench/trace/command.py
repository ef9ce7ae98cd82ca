"""``bakeoff trace``: one saga, moment by moment, on every engine of a stored run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.screen import say, show_json, show_table
from bakeoff.errors import UsageError
from bakeoff.outcome import Page
from bakeoff_bench.run.left import page_left
from bakeoff_bench.run.stored import reading
from bakeoff_bench.trace.reading import abouts_of, parts_of, traces_of
from bakeoff_bench.trace.span import Part, Trace


def trace(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that `bakeoff run` or `load` wrote (--out).")
    ],
    workflow_id: Annotated[str, typer.Argument(metavar="ID", help="Of the saga, as in order-123.")],
    as_json: Annotated[bool, typer.Option("--json", help="The spans as JSON, on standard output.")] = False,
) -> None:
    """Show where a saga's time went, side by side on every engine that ran it.

    Made of the ledger's attempts and effects and the client's history, in the same way for every engine.
    Where an engine has a web UI that is still up, the saga's page there.

    \b
    Example:
        bakeoff trace runs/first order-123
    """
    found = list(_of_saga(directory, workflow_id))
    if not found:
        some = ", ".join(islice(_ids(directory), 3))
        raise UsageError(f"{directory}: no contestant ran a saga {workflow_id!r}; the first are {some}")
    with reading(directory):
        pages = _pages(directory, [one.engine for one in found], workflow_id)
    if as_json:
        show_json(
            [
                {
                    **asdict(one),
                    "shares_s": one.shares_s(),
                    **({"web_ui": asdict(page)} if (page := pages.get(one.engine)) else {}),
                }
                for one in found
            ]
        )
        return
    say(f"{workflow_id}: where its seconds went", style="bold")
    show_table(
        ["contestant", "outcome", *(str(part) for part in Part), "in all"],
        [
            [one.engine, one.status or "none told", *_cells(one.shares_s()), f"{one.seconds:.3f}"]
            for one in found
        ],
    )
    for name, page in pages.items():
        say(f"{name}, web UI: {page.url or page.how}")
    for one in found:
        say()
        say(one.engine, style="bold")
        show_table(
            ["at, s", "lasted, s", "part", "what", "attempt"],
            [
                [
                    f"{span.start_s:.4f}",
                    f"{span.seconds:.4f}",
                    str(span.part),
                    span.name,
                    str(span.attributes.get("attempt", "")),
                ]
                for span in one.spans
            ],
        )


def _pages(directory: Path, engines: Sequence[str], workflow_id: str) -> dict[str, Page]:
    abouts = abouts_of(directory)
    found = {name: page_left(name, abouts[name], workflow_id) for name in engines}
    return {name: page for name, page in found.items() if page is not None}


def _of_saga(directory: Path, workflow_id: str) -> Iterator[Trace]:
    for name, part in parts_of(directory).items():
        yield from (one for one in traces_of(part, name) if one.workflow_id == workflow_id)


def _ids(directory: Path) -> Iterator[str]:
    for name, part in parts_of(directory).items():
        yield from (one.workflow_id for one in traces_of(part, name))


def _cells(shares_s: dict[Part, float]) -> list[str]:
    return [f"{shares_s[part]:.3f}" for part in Part]
