"""Tables of ``docs/capabilities.md`` and of the costs in ``docs/engines``, made of what the code declares.

``python -m tests.docs.tables`` writes them into those pages anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from bakeoff.engine import Capability, EngineInfo, Means, Support, Survives
from bakeoff.settings import ConfigClass
from tests.docs.claimed import CLASSES, ENGINES, Promise, absent, brokers_of, support, told, variations

DOCS = Path(__file__).parents[2] / "docs"
CAPABILITIES = DOCS / "capabilities.md"
#: Rows of the table in ``docs/engines/README.md`` that belong to no single promise.
_SUMS = ("what several share", "declarations", "not run", "in all")
#: So many of the promises that take most lines of their own stand on an engine's page.
_MOST = 3
_BROKERS = {"": "", "valkey": "Valkey", "rabbitmq": "RabbitMQ"}
_WORDS = {Support.NATIVE: "native", Support.PATTERN: "pattern", Support.ABSENT: "-"}

Table = list[str]


def page_of(engine: str) -> Path:
    """The page of one engine."""
    return DOCS / "engines" / f"{engine}.md"


def capabilities() -> Table:
    """Which engine has which capability, and how."""
    return _table("capability", list(Capability), lambda engine, one: _cell(engine, one, _support))


def survivals() -> Table:
    """Which deaths an acknowledged saga survives, and with which settings."""
    return _table("acknowledged sagas survive", list(Survives), lambda engine, one: _cell(engine, one, _kept))


def means() -> Table:
    """What an operator can do."""
    return _table("operator's means", list(Means), lambda engine, one: _cell(engine, one, _support))


def taken_away() -> Table:
    """Capabilities that are absent with one setting otherwise than recommended."""
    rows: dict[tuple[str, str], list[str]] = {}
    for engine in ENGINES:
        for broker in brokers_of(engine):
            for what, before, after in variations(engine, broker):
                lost = absent(told(engine, broker, changed=after)) - absent(
                    told(engine, broker, changed=before)
                )
                names = [f"`{one}`" for one in Capability if one in lost]
                if names:
                    rows[engine, what] = names
    lines = [f"| `{engine}.{what}` | {', '.join(names)} |" for (engine, what), names in rows.items()]
    return ["| setting | absent with it |", "|---|---|", *lines]


def costs(engine: str) -> Table:
    """The column of one engine in the table of all engines, in short."""
    lines = _lines_of(engine)
    own = {name: number for name, number in lines.items() if name not in _SUMS and number}
    most = sorted(own, key=lambda name: (-own[name], name))[:_MOST]
    cells = [", ".join(f"{name} {own[name]}" for name in most), *(str(lines[name]) for name in _SUMS)]
    head = f"| the most for one promise | {' | '.join(_SUMS)} |"
    return [head, "|---" * len(cells) + "|", f"| {' | '.join(cells)} |"]


def with_table(text: str, table: Table) -> str:
    """The text with this table in the place of the one that has the same first line.

    Raises:
        ValueError: If there is none.
    """
    lines = text.splitlines()
    start = lines.index(table[0])
    end = next((n for n in range(start, len(lines)) if not lines[n].startswith("|")), len(lines))
    return "\n".join([*lines[:start], *table, *lines[end:]]) + "\n"


def _table(head: str, promises: Sequence[Promise], cell: Callable[[str, Promise], str]) -> Table:
    titles = [f"[{engine}](engines/{engine}.md#what-it-cannot-do)" for engine in ENGINES]
    rows = [[f"`{one}`", *(cell(engine, one) for engine in ENGINES)] for one in promises]
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return [f"| {head} | {' | '.join(titles)} |", "|---" * (len(ENGINES) + 1) + "|", *lines]


def _cell(engine: str, promise: Promise, word: Callable[[str, str, Promise], str]) -> str:
    """One word; or one for each broker, where they differ."""
    words = {broker: word(engine, broker, promise) for broker in brokers_of(engine)}
    if len(set(words.values())) == 1:
        return words.popitem()[1]
    return ", ".join(f"{_BROKERS[broker]}: {said}" for broker, said in words.items())


@cache
def _usual(engine: str, broker: str, config_class: ConfigClass) -> EngineInfo:
    return told(engine, broker, config_class)


def _support(engine: str, broker: str, promise: Promise) -> str:
    found = [_WORDS[support(_usual(engine, broker, one), promise)] for one in CLASSES]
    return " -> ".join(dict.fromkeys(found))


def _kept(engine: str, broker: str, promise: Promise) -> str:
    shipped, recommended = (
        support(_usual(engine, broker, one), promise) is not Support.ABSENT for one in CLASSES
    )
    return ("yes" if shipped else "recommended") if recommended else "-"


def _lines_of(engine: str) -> dict[str, int]:
    rows = [_cells(line) for line in (DOCS / "engines" / "README.md").read_text().splitlines()]
    start = next(n for n, row in enumerate(rows) if row[:1] == ["logical lines"])
    column = rows[start].index(engine)
    found = {}
    for row in rows[start + 2 :]:
        if not row:
            break
        found[row[0].strip("*")] = int(row[column] or 0)
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []


def _renew(page: Path, tables: Iterable[Table]) -> None:
    text = page.read_text(encoding="utf-8")
    for table in tables:
        text = with_table(text, table)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _renew(CAPABILITIES, [capabilities(), survivals(), means(), taken_away()])
    for name in ENGINES:
        _renew(page_of(name), [costs(name)])
