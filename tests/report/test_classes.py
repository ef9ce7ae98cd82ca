"""As shipped beside recommended: one table per fault, nothing twice, nothing claimed that nobody measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Cell, Mood, Section, Table
from bakeoff_bench.report.render import html_of
from bakeoff_bench.report.sources import read_sources
from tests.report.conftest import Parsed

BEFORE, AFTER = "charge.before_effect", "charge.after_effect"
#: ``(title, class, contestants, points, deadline)``.
Series = tuple[str, str, Sequence[str], Sequence[str], float]
SHORT: Series = (
    "recommended, short leases",
    "recommended",
    ["celery[valkey]", "temporal", "inline"],
    [BEFORE, AFTER],
    60.0,
)
SHIPPED: Series = (
    "as shipped",
    "default",
    ["celery[valkey, as shipped]", "temporal[as shipped]"],
    [AFTER],
    30.0,
)


def _folder(path: Path, *series: Series, saga: str = "order", **changed: Any) -> Path:
    folder = CrashFolder.create(path)
    abouts = {
        label: {
            **{"title": label, "config_class": config, "versions": {}, "settings": {}, "note": ""},
            **{"command": f"bakeoff crash --config {config}", "survives": [], "silent": "", "lease_s": 1.0},
        }
        for _, config, labels, _, _ in series
        for label in labels
    }
    folder.write_manifest(
        {
            "command": f"bakeoff crash --out {path.name}",
            "saga": {"name": saga},
            "seed": 1,
            "participants": "idempotent",
            "series": [
                {
                    **{"title": title, "contestants": labels, "faults": ["worker-kill"], "points": points},
                    **{"kills": 1, "deadline_s": deadline_s},
                }
                for title, _, labels, points, deadline_s in series
            ],
            "contestants": abouts,
            "machine": {"system": "x", "python": "3", "cpus": 2, "memory_bytes": 1},
        }
    )
    for place, (_, _, labels, points, deadline_s) in enumerate(series):
        for label in labels:
            for point in points:
                folder.append(_kill(place, label, point, deadline_s) | changed)
    return path


def _kill(place: int, label: str, point: str, deadline_s: float) -> dict[str, Any]:
    lost = "as shipped" in label and label.startswith("celery")
    return {
        **{"series": place, "contestant": label, "engine": label.partition("[")[0], "fault": "worker-kill"},
        **{"point": point, "outcome": "lost" if lost else "retried", "detail": "gone" if lost else ""},
        **{"workflow_ids": ["order-1"], "lease_s": 1.0, "deadline_s": deadline_s, "detection_s": 1.0},
        **{"first_progress_s": 1.5, "recovery_s": None if lost else 2.0, "open": False, "seconds": 3.0},
    }


def _crashes(*paths: Path) -> Section:
    (found,) = [one for one in page_of(read_sources(paths)).sections if one.id == "crashes"]
    return found


def _tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def _texts(table: Table) -> list[list[str]]:
    return [[one if isinstance(one, str) else one.text for one in row] for row in table.rows]


def _by_run(tmp_path: Path, apart: bool) -> list[Path]:
    if apart:
        return [_folder(tmp_path / "short", SHORT), _folder(tmp_path / "shipped", SHIPPED)]
    return [_folder(tmp_path / "both", SHORT, SHIPPED)]


@pytest.mark.parametrize("apart", [False, True], ids=["in one run", "in two runs"])
def test_what_is_shipped_stands_beside_what_is_recommended(tmp_path: Path, apart: bool) -> None:
    first, *others = _tables(_crashes(*_by_run(tmp_path, apart)))

    assert first.title == "worker-kill, as shipped beside recommended"
    assert first.groups == [("celery[valkey]", 2), ("temporal", 2), ("inline", 2)]
    assert first.columns == [
        "point",
        *(["as shipped, waited 30 s", "recommended, short leases, waited 60 s"] * 2),
        *("as shipped", "recommended, short leases, waited 60 s"),
    ]
    assert _texts(first) == [
        [BEFORE, "not measured", "1 retried, 2.0 s", "not measured", "1 retried, 2.0 s", "not measured", *OK],
        [AFTER, "1 lost", *OK, *OK, *OK, "not measured", *OK],
    ]
    moods = [one.mood for one in first.rows[1] if isinstance(one, Cell)]
    assert moods == [Mood.BAD, *[Mood.GOOD] * 3, Mood.SILENT, Mood.GOOD]
    assert [one.title.partition(" (")[0] for one in others] == ["All kills of a contestant together"] * (
        1 + apart
    )


OK = ("1 retried, 2.0 s",)


def test_how_each_class_was_struck_is_said_and_how_to_do_it_again(tmp_path: Path) -> None:
    first = _tables(_crashes(*_by_run(tmp_path, True)))[0]

    assert "Recommended, short leases: 1 kills per cell, waited for 60 s" in first.conditions
    assert "As shipped: 1 kills per cell, waited for 30 s" in first.conditions
    assert first.command == "bakeoff crash --out short; bakeoff crash --out shipped"
    assert first.notes == [f"{AFTER}, celery[valkey], as shipped, waited 30 s: gone"]


def test_one_class_alone_is_the_matrix_that_it_was(tmp_path: Path) -> None:
    tables = _tables(_crashes(_folder(tmp_path / "short", SHORT)))

    assert tables[0].title == "worker-kill, recommended, short leases (short)"
    assert tables[0].columns == ["point", *SHORT[2]]
    assert not tables[0].groups


OTHER_POINTS: Mapping[str, Series] = {
    "windows": ("recommended", "recommended", ["celery[valkey]"], ["prefetched"], 150.0),
    "a sweep": ("recommended", "recommended", ["celery[valkey, visibility_timeout=9]"], [AFTER], 60.0),
}


@pytest.mark.parametrize("what", OTHER_POINTS)
def test_what_has_nothing_beside_it_stays_a_matrix_of_its_own(tmp_path: Path, what: str) -> None:
    series = OTHER_POINTS[what]
    first, second, *_ = _tables(_crashes(_folder(tmp_path / "all", SHORT, SHIPPED, series)))

    assert "beside" in first.title
    assert second.columns == ["point", *series[2]]
    assert [row[0] for row in second.rows] == series[3]
    assert [name for name, _ in first.groups] == ["celery[valkey]", "temporal", "inline"]


def test_kills_of_different_sagas_are_never_beside_each_other(tmp_path: Path) -> None:
    other = _folder(tmp_path / "other", SHIPPED, saga="order-approval")
    tables = _tables(_crashes(_folder(tmp_path / "short", SHORT), other))

    assert [table.title for table in tables if table.groups] == []


def test_kills_of_two_runs_with_the_same_conditions_add_up_and_others_do_not(tmp_path: Path) -> None:
    longer: Series = (*SHIPPED[:4], 90.0)
    folders = [
        _folder(tmp_path / "both", SHORT, SHIPPED),
        _folder(tmp_path / "again", SHIPPED),
        _folder(tmp_path / "longer", longer),
    ]
    first = _tables(_crashes(*folders))[0]
    (struck,) = [row for row in _texts(first) if row[0] == AFTER]

    assert first.groups[0] == ("celery[valkey]", 3)
    assert first.columns[1:3] == [
        "as shipped, waited 30 s, both and again",
        "as shipped, waited 90 s, longer",
    ]
    assert struck[1:3] == ["2 lost", "1 lost"]


def test_the_heads_of_a_class_stand_below_the_engine_that_they_are_of(tmp_path: Path) -> None:
    html = html_of(page_of(read_sources([_folder(tmp_path / "both", SHORT, SHIPPED)])))
    page = Parsed(html)

    assert page.unclosed == []
    assert '<table class="beside">' in html, "what keeps the points in sight while the columns are scrolled"
    assert '<th scope="colgroup" colspan="2">celery[valkey]</th>' in html
