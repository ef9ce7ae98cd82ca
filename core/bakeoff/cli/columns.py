"""How wide the columns of a table are, and which of them stand together where not all of them fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

#: Spaces between two columns.
GAP = 2
#: A column of words is readable from here on; a longer word is cut from there on.
_NARROW, _LONGEST_WORD = 12, 40


def parts(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, keys: int
) -> Iterator[tuple[list[int], list[int]]]:
    """Split a table that would be unreadable into several, each with the first columns.

    Args:
        columns: Headings.
        rows: Cells, as many in each row as there are headings.
        width: Characters of a line.
        keys: So many columns at the left say what a row is about.

    Yields:
        ``(numbers of the columns, width of each)`` of each table.
    """
    cells = [[heading, *(row[number] for row in rows)] for number, heading in enumerate(columns)]
    natural = [max(1, *map(_longest_line, own)) for own in cells]
    least = [min(wide, max(_NARROW, _longest_word(own))) for wide, own in zip(natural, cells, strict=True)]
    left = list(range(min(keys, len(columns))))
    for together in _together(least, left, width):
        yield together, _shared([least[n] for n in together], [natural[n] for n in together], width)


def _together(least: Sequence[int], left: list[int], width: int) -> Iterator[list[int]]:
    """Groups of columns that fit at their least; a column that does not fit alone is one, too."""
    group = list(left)
    for number in range(len(left), len(least)):
        fits = sum(least[n] + GAP for n in group) + least[number] <= width
        if not fits and len(group) > len(left):
            yield group
            group = list(left)
        group.append(number)
    yield group


def _shared(least: Sequence[int], natural: Sequence[int], width: int) -> list[int]:
    """The width that is left goes to those that want it, the modest ones first."""
    found = list(least)
    left = max(0, width - sum(least) - GAP * (len(least) - 1))
    wanting = sorted(range(len(least)), key=lambda n: natural[n] - least[n])
    for place, number in enumerate(wanting):
        more = min(natural[number] - least[number], left // (len(wanting) - place))
        found[number] += more
        left -= more
    # One that does not fit even so is cut, rather than broken by the terminal.
    found[-1] = max(1, min(found[-1], width - sum(found[:-1]) - GAP * (len(found) - 1)))
    return found


def _longest_line(text: str) -> int:
    return max((cell_len(line) for line in text.splitlines()), default=0)


def _longest_word(cells: Sequence[str]) -> int:
    return min(_LONGEST_WORD, max((cell_len(word) for text in cells for word in text.split()), default=0))
