"""Every word that the judge says of some hundred runs, against those that were read and stored.

After a change that is meant, write them anew and read what changed:
``python -m tests.run.test_verdict_words``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.checkers import (
    Evidence,
    count,
    duplicates_attempted,
    duplicates_planned,
    held_by_unfinished,
    judge,
    observe,
)
from tests.run.spoilt_runs import RUNS

_STORED = Path(__file__).with_name("verdicts.json")


def _said(evidence: Evidence) -> list[str]:
    evidence = replace(evidence)  # that remembers nothing of an earlier look
    observed = observe(evidence)
    lines = [f"{name}: {one.fate} {one.reason}".rstrip() for name, one in observed.items()]
    lines.append(f"counted {count(observed)}")
    lines.append(f"repeats {duplicates_attempted(evidence)}, planned {duplicates_planned(evidence)}")
    lines += [f"{name} holds {', '.join(steps)}" for name, steps in held_by_unfinished(evidence).items()]
    for verdict in judge(evidence):
        lines.append(f"{verdict.invariant} ({verdict.title}) {verdict.validity}: {verdict.reason}")
        lines += verdict.findings
    return lines


def _unlike_faithful(evidence: Evidence) -> list[str]:
    """Only what is said of no faithful run, to be readable."""
    usual = set() if evidence is RUNS["faithful"] else set(_said(RUNS["faithful"]))
    return [line for line in _said(evidence) if line not in usual]


@pytest.mark.parametrize("name", RUNS)
def test_judge_says_what_was_stored(name: str) -> None:
    assert _unlike_faithful(RUNS[name]) == json.loads(_STORED.read_text())[name]


def test_nothing_is_stored_for_runs_that_are_gone() -> None:
    assert list(json.loads(_STORED.read_text())) == list(RUNS)


if __name__ == "__main__":
    _STORED.write_text(
        json.dumps({name: _unlike_faithful(run) for name, run in RUNS.items()}, indent=1) + "\n"
    )
