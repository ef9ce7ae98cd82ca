"""Counted lines keep the command that counted them, their day and their machine."""

from __future__ import annotations

import sys

import pytest

from bakeoff.machine import machine
from bakeoff_bench.lines.command import result_of


def test_the_result_keeps_its_command_without_what_is_secret_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    line = [
        "/bin/bakeoff",
        "bench",
        "lines",
        "--engine",
        "celery",
        "--set",
        "celery.broker_url=amqp://a:hunter2@b",
    ]
    monkeypatch.setattr(sys, "argv", line)

    result = result_of({"celery": {"signals": 3}}, {"celery": []})

    assert result["command"] == "bakeoff bench lines --engine celery --set 'celery.broker_url=***'"
    assert result["engines"] == {"celery": {"signals": 3}}


def test_the_result_names_its_day_and_its_machine() -> None:
    result = result_of({}, {})

    assert result["created_at"].endswith("+00:00")
    assert result["machine"] == machine()
    assert result["bakeoff"]
