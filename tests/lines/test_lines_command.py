"""Counted lines keep the command that counted them."""

from __future__ import annotations

import sys

import pytest

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
