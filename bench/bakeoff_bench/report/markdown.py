"""A page as Markdown, for a repository or a documentation site: everything but the pictures.

Links lead to headings, by the names that GitHub and MyST make of these. Nothing in it tells when or by which
bakeoff it was made, so that the same results always make the same page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bakeoff_bench.report.page import Cell, Figure, Mood, Origin, Page, Section, Table

#: How the first line begins; the command follows.
MADE_BY = "<!-- Made by a command, not by hand: "
#: What Markdown, GitHub or MyST would take for more than a letter.
_SPECIAL = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])")
#: What begins a list or a heading where a line begins.
_FIRST = re.compile(r"^(?:([-+#])|(\d+)([.)]))(?=\s|$)")
#: What is no part of the name of a heading; the same in GitHub's and MyST's code.
_UNNAMED = re.compile(r"[^\w\u4e00-\u9fff\- ]")


def markdown_of(page: Page, command: str) -> str:
    """The page as text.

    Args:
        page: What is on it.
        command: What makes it again; stands in its first line.
    """
    names = _names(page)
    lines = [
        f"{MADE_BY}{command.replace('-->', '-- >')} -->",
        "",
        f"# {_plain(page.title)}",
        "",
        *(line for one in page.made_of for line in _origin(one)),
        *([_plain(page.commands), ""] if page.commands else []),
        "**Bold** in a table is harm, or a rule that was not kept. A cell with a link leads to its evidence.",
        "",
        *(line for section in page.sections for line in _section(section, names)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _origin(one: Origin) -> Iterator[str]:
    measured = f"measured {one.when}" if one.when else "it does not say when it was measured"
    known = [measured, one.machine, one.versions]
    yield f"{_code(one.place)} ({_plain(one.what)}): {_plain('; '.join(filter(None, known)))}. Made by"
    yield ""
    yield "    " + one.command.replace("\n", "\n    ")
    yield ""


def _names(page: Page) -> dict[str, str]:
    """``{id: name of its heading}``, told apart as GitHub and MyST do."""
    taken: set[str] = {_name(page.title)}
    found: dict[str, str] = {}
    for section in page.sections:
        for ids, title in [((section.id,), section.title), *map(_heading, section.blocks)]:
            name, number = _name(title), 1
            while name in taken:
                name, number = f"{_name(title)}-{number}", number + 1
            taken.add(name)
            found |= dict.fromkeys(ids, name)
    return found


def _heading(block: Table | Figure) -> tuple[tuple[str, ...], str]:
    ids = (block.id, block.table.id) if isinstance(block, Figure) else (block.id,)
    return ids, block.title


def _name(title: str) -> str:
    return _UNNAMED.sub("", title.lower().replace(" ", "-"))


def _section(section: Section, names: Mapping[str, str]) -> Iterator[str]:
    yield from (f"## {_plain(section.title)}", "")
    for sentence in section.lead:
        yield from (_line(sentence), "")
    for block in section.blocks:
        table = block.table if isinstance(block, Figure) else block
        yield from (f"### {_plain(block.title)}", "")
        yield from _table(table, names)
        if block.conditions:
            yield from (_line(block.conditions), "")
        if block.command:
            yield from (f"Again: {_code(block.command)}", "")
    if section.notes:
        yield from (*(f"* {_line(note)}" for note in section.notes), "")


def _table(table: Table, names: Mapping[str, str]) -> Iterator[str]:
    yield _row([_plain(name) for name in table.columns])
    yield _row(["---"] * len(table.columns))
    for row in table.rows:
        yield _row([_cell(one, names) for one in row])
    yield ""
    if table.notes:
        count = len(table.notes)
        yield from (f"<details><summary>Notes on {count} cell{'s' if count > 1 else ''}</summary>", "")
        yield from (*(f"* {_line(note)}" for note in table.notes), "", "</details>", "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: Cell | str, names: Mapping[str, str]) -> str:
    if isinstance(one, str):
        return _plain(one)
    text = _plain(one.text)
    text = f"[{text}](#{names[one.link]})" if text and one.link else text
    return f"**{text}**" if text and one.mood is Mood.BAD else text


def _plain(text: str) -> str:
    """Words as words, in one line."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def _line(text: str) -> str:
    """The same where a line begins."""
    return _FIRST.sub(lambda found: rf"{found[2] or ''}\{found[1] or found[3]}", _plain(text))


def _code(text: str) -> str:
    """Words as somebody types them."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
