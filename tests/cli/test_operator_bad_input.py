"""Operator's verbs asked for what cannot be: one line, exit code 2, nothing touched."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Refused


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("stuck", "nothing is up in .bakeoff; start it in another terminal"),
        ("stuck --older-than -1", "--older-than"),
        ("stuck --older-than soon", "--older-than"),
        ("stuck --limit 0", "--limit"),
        ("stuck --engine nobody", "engine 'nobody' is not installed"),
        ("redrive", "Missing argument"),
        ("redrive order-126", "nothing is up in .bakeoff"),
        ("redrive order-126 --timeout -1", "--timeout"),
        ("dead-letters", "nothing is up in .bakeoff"),
        ("dead-letters --requeue", "--requeue"),
    ],
)
def test_refused(refused: Refused, line: str, says: str) -> None:
    assert says in refused(line)
