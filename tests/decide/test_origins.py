"""Where facts come from: a day where a result knows one, and what may come along twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.errors import UsageError
from bakeoff_bench.decide.origins import Origin, each_once, origins_of
from bakeoff_bench.report.sources import Kind, Source

_MACHINE = {"system": "Linux", "cpus": 2}
_SUITE = {"command": "pytest --engine=a", "engines": {}, "tests": {}}
_DAY = {"created_at": "2026-11-29T10:00:00+00:00", "machine": _MACHINE}


def _origin(kind: Kind, place: str = "runs/first") -> Origin:
    return Origin(
        evidence=place,
        name=place,
        kind=str(kind),
        command=f"bakeoff {kind}",
        created_at="2026-11-29T10:00:00+00:00",
        machine=_MACHINE,
    )


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        (_DAY, "contract.json: pytest --engine=a, 2026-11-29"),
        ({}, "contract.json: pytest --engine=a, of an unknown day"),
    ],
)
def test_contract_results_have_a_day_and_a_machine(more: dict[str, object], shown: str) -> None:
    suite = Source(kind=Kind.CONTRACT, path=Path("contract.json"), result={**_SUITE, **more})
    (found,) = origins_of([suite])

    assert str(found) == shown
    assert found.machine == more.get("machine")


@pytest.mark.parametrize("kind", [Kind.CONTRACT, Kind.LINES])
def test_what_counts_nothing_may_come_along_twice(kind: Kind) -> None:
    """In two files of facts, say: told twice, it says the same."""
    one = _origin(kind)
    other = replace(one, evidence="copy.json")

    assert each_once([one, one]) == [one]
    assert each_once([one, other]) == [one, other]


@pytest.mark.parametrize("kind", [Kind.RUN, Kind.CRASH, Kind.LOAD])
def test_a_run_may_not(kind: Kind) -> None:
    with pytest.raises(UsageError, match="are the same run"):
        each_once([_origin(kind), _origin(kind, "copy")])
