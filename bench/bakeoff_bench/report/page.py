"""What a report is made of: sections of sentences, tables and figures. Nothing here knows HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import zip_longest


class Mood(StrEnum):
    """How a cell is meant; shown as a colour, and never as a colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"
    SILENT = "silent"  #: says nothing: void, unknown, not supported, not measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What stands there.
        mood: What it means.
        link: ``id`` of the section or block that it rests on; empty: none.
        note: More about it, for whoever points at it or lists it.
    """

    text: str
    mood: Mood = Mood.PLAIN
    link: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells below one head; the first cell of a row is its head.

    Attributes:
        id: Unique in the page.
        title: What it shows.
        columns: Heads; as many as each row has cells.
        rows: Cells; plain text is a cell, too.
        groups: Heads above those heads, after the first column, and over how many each stands; empty: none.
        conditions: Under which it holds: n, intervals, settings.
        command: What makes these numbers again; empty where a sentence says it.
    """

    id: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    groups: Sequence[tuple[str, int]] = ()
    conditions: str = ""
    command: str = ""

    @property
    def notes(self) -> list[str]:
        """What is known of single cells, for those who cannot point at them."""
        above = ["", *(f"{group}, " for group, count in self.groups for _ in range(count))]
        heads = [f"{group}{head}" for group, head in zip_longest(above, self.columns, fillvalue="")]
        return [
            f"{_text(row[0])}, {head}: {one.note}"
            for row in self.rows
            for head, one in zip(heads, row, strict=True)
            if isinstance(one, Cell) and one.note
        ]


def _text(one: Cell | str) -> str:
    return one.text if isinstance(one, Cell) else one


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture, and its numbers as a table for whoever cannot see it or wants them.

    Attributes:
        id: Unique in the page.
        title: What it shows.
        svg: Draws it, for a page that shows pictures.
        told: The picture in a sentence or two.
        conditions: Under which it holds.
        table: The same as numbers.
        command: What makes them again.
        links: ``(words, URL)`` of pages elsewhere that have just answered.
    """

    id: str
    title: str
    svg: Callable[[], str]
    told: str
    conditions: str
    table: Table
    command: str = ""
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands below it.

    Attributes:
        id: Unique in the page.
        lead: Sentences that come first.
        blocks: Tables and figures.
        notes: What must be known about them.
    """

    id: str
    title: str
    lead: Sequence[str] = ()
    blocks: Sequence[Table | Figure] = ()
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A stored run that a page rests on.

    Attributes:
        place: Its folder, or its file.
        what: Of which kind it is, and whether it could be judged again.
        when: It was measured; empty: it does not say.
        machine, versions: What it was measured with, in words; empty: it does not say.
        command: What makes it again.
    """

    place: str
    what: str
    when: str
    machine: str
    versions: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report.

    Attributes:
        title: Of the page.
        made_of: What it rests on.
        sections: In order; the first is the answer.
        commands: How its commands are to be read; empty: as they stand.
    """

    title: str
    made_of: Sequence[Origin]
    sections: Sequence[Section]
    commands: str = ""


#: From what matters most to what matters least.
_WORST = (Mood.BAD, Mood.CAUTION, Mood.SILENT, Mood.PLAIN, Mood.GOOD)


def worst(found: dict[str, Cell], label: str, new: Cell) -> None:
    """Put ``new`` under ``label``; of several the one that matters most stays, and says so."""
    old = found.get(label)
    if old is None:
        found[label] = new
        return
    kept = min((new, old), key=lambda one: _WORST.index(one.mood))
    suffix = " (of several runs)"
    found[label] = replace(kept, text=kept.text.removesuffix(suffix) + suffix)


def cell(text: object, mood: Mood = Mood.PLAIN, link: str = "", note: str = "") -> Cell:
    """Shorthand."""
    return Cell(text=str(text), mood=mood, link=link, note=note)
