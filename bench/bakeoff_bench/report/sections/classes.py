"""The crash matrix with one configuration class beside the other: what a class changes, point by point."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.cells import group
from bakeoff_bench.crash.contestants import CLASS_WORDS
from bakeoff_bench.report.names import base_of, slug
from bakeoff_bench.report.page import Cell, Mood, Table, cell
from bakeoff_bench.report.sections.killed import SECONDS, kills_cell
from bakeoff_bench.report.sources import Source
from bakeoff_bench.run.journal import Row

#: Number of a run, place of a series in it, fault, contestant: what is shown once.
Measured = tuple[int, int, str, str]
#: As they stand beside each other.
_ORDER = (ConfigClass.DEFAULT, ConfigClass.RECOMMENDED, ConfigClass.TUNED, ConfigClass.CI)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The kills of one contestant in one series, by one fault.

    Attributes:
        run, place, label: Where they are from.
        saga: Name, and what its services are.
        base: The contestant without its class.
        config: The class.
        condition: What else its cells are to say: shortened leases.
        points: All that were to be struck.
        kills: Of each.
        rows: What was done.
    """

    run: Source
    place: int
    label: str
    saga: tuple[str, str]
    fault: str
    base: str
    config: ConfigClass
    condition: str
    deadline_s: float
    points: Sequence[str]
    kills: int
    rows: Sequence[Row]

    @property
    def column(self) -> tuple[ConfigClass, str, float, str]:
        """Kills of several runs are added up where these are the same."""
        settings = self.run.about["contestants"][self.label]["settings"]
        return self.config, self.condition, self.deadline_s, json.dumps(settings, sort_keys=True)


def beside(runs: Sequence[Source], section: str) -> tuple[list[Table], frozenset[Measured]]:
    """A table per fault for which an engine was struck at the same points in several classes.

    Args:
        runs: Of kills.
        section: ``id`` of the section that it is for.

    Returns:
        The tables, and whose kills are in them.
    """
    tables, shown = [], set()
    by_fault = group((one for run in runs for one in _entries(run)), lambda one: (one.fault, one.saga))
    for (fault, saga), entries in by_fault.items():
        several = sum(fault == name for name, _ in by_fault) > 1
        chosen = _comparable(entries)
        if chosen:
            title = f"{fault}, {_classes(chosen)}" + (f" ({', '.join(saga)} services)" if several else "")
            tables.append(_table(slug(section, "classes", fault, *saga), title, chosen))
            shown |= {(one.run.number, one.place, fault, one.label) for one in chosen}
    return tables, frozenset(shown)


def _entries(run: Source) -> list[_Entry]:
    about = run.about
    groups = group(run.result["kills"], lambda row: (row["series"], row["contestant"], row["fault"]))
    order, found = list(about["contestants"]), []
    for (place, label, fault), rows in sorted(groups.items(), key=lambda one: order.index(one[0][1])):
        series, config = about["series"][place], ConfigClass(about["contestants"][label]["config_class"])
        found.append(
            _Entry(
                run=run,
                place=place,
                label=label,
                saga=(about["saga"]["name"], about["participants"]),
                fault=fault,
                base=base_of(label, config),
                config=config,
                condition="short leases" if "short leases" in series["title"] else "",
                deadline_s=series["deadline_s"],
                points=series["points"],
                kills=series["kills"],
                rows=rows,
            )
        )
    return found


def _comparable(entries: Sequence[_Entry]) -> list[_Entry]:
    """Those of engines that were struck at a point in several classes, and of others beside them.

    What differs in a setting (a sweep), and a series without a common point (an engine's own windows), stays
    a matrix of its own.
    """
    common: dict[str, set[str]] = {}
    for one, other in combinations(entries, 2):
        if one.base == other.base and one.config is not other.config:
            common.setdefault(one.base, set()).update(_struck(one) & _struck(other))
    points = set[str]().union(*common.values())
    return [one for one in entries if _struck(one) & points and (common.get(one.base) or "=" not in one.base)]


def _struck(one: _Entry) -> set[str]:
    return {row["point"] for row in one.rows}


def _classes(entries: Sequence[_Entry]) -> str:
    measured = {one.config for one in entries}
    return " beside ".join(CLASS_WORDS[config] for config in _ORDER if config in measured)


def _table(id_: str, title: str, entries: Sequence[_Entry]) -> Table:
    series = sorted(entries, key=lambda one: -len(one.points))
    done = set[str]().union(*map(_struck, entries))
    points = [point for point in dict.fromkeys(p for one in series for p in one.points) if point in done]
    several = len({one.deadline_s for one in entries}) > 1
    columns: list[tuple[str, str, list[_Entry]]] = []
    for base, own in group(entries, lambda one: one.base).items():
        by_column = group(own, lambda one: one.column)
        for config in [one for one in _ORDER if any(one is entry.config for entry in entries)]:
            of_class = [same for column, same in by_column.items() if column[0] is config]
            for same in of_class or [[]]:
                columns.append((base, _head(config, same, several, len(of_class) > 1), same))
    return Table(
        id=id_,
        title=title,
        columns=["point", *(head for _, head, _ in columns)],
        groups=[(base, len(same)) for base, same in group(columns, lambda one: one[0]).items()],
        rows=[[point, *(_cell(same, point) for _, _, same in columns)] for point in points],
        conditions=_conditions(entries),
        command="; ".join(dict.fromkeys(one.run.command for one in entries)),
    )


def _head(config: ConfigClass, same: Sequence[_Entry], several_deadlines: bool, other_settings: bool) -> str:
    words = [CLASS_WORDS[config]]
    if same:
        words += [same[0].condition] if same[0].condition else []
        words += [f"waited {same[0].deadline_s:g} s"] if several_deadlines else []
        words += [" and ".join(dict.fromkeys(one.run.name for one in same))] if other_settings else []
    return ", ".join(words)


def _cell(same: Sequence[_Entry], point: str) -> Cell:
    planned = sum(one.kills for one in same if point in one.points)
    if not planned:
        return cell("not measured", Mood.SILENT)
    return kills_cell([row for one in same for row in one.rows if row["point"] == point], planned)


def _conditions(entries: Sequence[_Entry]) -> str:
    told = dict.fromkeys(
        f"{one.run.about['series'][one.place]['title'].capitalize()}: {one.kills} kills per cell, waited for "
        f"{one.deadline_s:g} s, seed {one.run.about['seed']}, {one.saga[1]} services ({one.run.name})."
        for one in entries
    )
    alone = "An engine that is recommended as it is shipped is struck in one class only."
    return " ".join([*told, SECONDS, alone])
