"""The command that is stored and shown has no secret in it."""

from __future__ import annotations

import json

import pytest

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Options, find_contestants
from bakeoff_bench.crash.result import _shown
from bakeoff_bench.load import manifest
from bakeoff_bench.run.said import shown, shown_again


@pytest.mark.parametrize(
    "words",
    [
        ["--ledger", "postgresql://ada:hunter2@host/db"],
        ["--ledger=postgresql://ada:hunter2@host/db"],
        ["--set", "celery.broker_url=redis://ada:hunter2@host/0"],
        ["--set=temporal.api_key=hunter2"],
        ["--set-raw", "celery.broker_password=hunter2"],
    ],
)
def test_secrets_are_hidden_wherever_they_stand(words: list[str]) -> None:
    told = shown(["bakeoff", "run", *words])

    assert "hunter2" not in told
    assert "ada" not in told
    assert "***" in told
    assert shown_again(told) == told


def test_what_is_no_secret_stays() -> None:
    line = "bakeoff run --set celery.visibility_timeout=30 --out 'runs/a b'"

    assert shown_again(line) == line


def test_a_stored_contestant_and_a_crash_result_hide_them_too() -> None:
    options = Options(engines=("temporal",), sets=("temporal.address=host:7233", "temporal.api_key=hunter2"))
    (one,) = find_contestants(options, ConfigClass.RECOMMENDED, ours_only=False)

    assert "hunter2" not in json.dumps(manifest._about(one))
    assert "hunter2" not in json.dumps(_shown({"asked": {"options": options.to_json()}}))
