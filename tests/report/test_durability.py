"""What a contestant declares to survive stands in the manifest of its kills, and on their page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.contestants import Options
from bakeoff_bench.crash.manifest import durability_of, manifest_of
from bakeoff_bench.crash.profiles import Part
from bakeoff_bench.report.page import Table
from bakeoff_bench.report.sections import conditions
from bakeoff_bench.report.sources import read_sources
from tests.report.synthetic import crash_result, write

_ASKED = Asked(
    saga="order",
    options=Options(engines=("inline",)),
    parts=[
        Part(
            config=ConfigClass.RECOMMENDED,
            faults=("worker-kill",),
            points=("charge_payment.after_effect",),
            kills=1,
            deadline_s=60,
        )
    ],
    seed=1,
    lanes=1,
    participants="idempotent",
)


def test_a_crash_manifest_names_the_tier_of_every_contestant() -> None:
    manifest = manifest_of(_ASKED, _ASKED.plan())

    assert {label: about["durability"] for label, about in manifest["contestants"].items()} == {
        "inline": "none"
    }


@pytest.mark.parametrize(
    ("about", "tier"),
    [
        ({"durability": "none", "survives": ["worker_kill"]}, "none"),
        ({"survives": ["broker_kill", "step_kill", "worker_kill"]}, "D1 (kill of any process)"),
        ({"survives": ["worker_kill", "a word of another day"]}, "D1 for workers only"),
        ({"survives": []}, "none"),
        ({}, ""),
    ],
)
def test_the_tier_of_an_older_manifest_follows_from_what_it_survives(
    about: dict[str, Any], tier: str
) -> None:
    assert durability_of(about) == tier


def test_conditions_name_the_tier_or_say_that_it_is_not_told(tmp_path: Path) -> None:
    crash = crash_result({"a": "D1 (kill of any process)", "b": "none"})
    del crash["manifest"]["contestants"]["b"]["durability"]
    del crash["manifest"]["contestants"]["b"]["survives"]
    table = conditions.section(read_sources([write(tmp_path, "crash.json", crash)])).blocks[0]

    assert isinstance(table, Table)
    place = table.columns.index("durability")
    assert [(row[0], row[place]) for row in table.rows] == [
        ("a", "D1 (kill of any process)"),
        ("b", "not told"),
    ]
