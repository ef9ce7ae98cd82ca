"""Every number leads to the command that makes it again: the very line, as far as its source kept it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Figure
from bakeoff_bench.report.sources import read_sources

pytestmark = pytest.mark.service

ASKED = "pytest --engine=celery --broker rabbitmq --config recommended --contract-json contract.json"


def _changed(folder: Path, name: str, **more: Any) -> Path:
    found = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**found, **more}))
    return folder / name


def _command(file: Path) -> str:
    (source,) = read_sources([file])
    return source.command


@pytest.mark.parametrize(
    ("name", "command"),
    [("contract.json", ASKED), ("lines.json", "bakeoff bench lines --engine inline --set inline.threads=3")],
)
def test_the_command_line_that_was_kept_is_shown_as_it_was(copy: Path, name: str, command: str) -> None:
    file = _changed(copy, name, command=command)
    (source,) = read_sources([file])
    blocks = [block for section in page_of([source]).sections for block in section.blocks]
    told = {(block.table if isinstance(block, Figure) else block).command for block in blocks}

    assert source.command == command
    assert command in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("contract.json", "pytest --engine=inline --contract-json FILE"),
        ("lines.json", "bakeoff bench lines --engine inline --json FILE"),
    ],
)
@pytest.mark.parametrize("kept", [{}, {"command": ""}, {"command": 3}])
def test_of_one_that_kept_none_it_is_put_together(
    copy: Path, name: str, told: str, kept: dict[str, Any]
) -> None:
    assert _command(_changed(copy, name, **kept)) == told


def test_what_is_secret_in_a_stored_command_is_not_shown(copy: Path) -> None:
    secret = "--set celery.broker_url=amqp://me:hunter2@host --set-raw celery.password=hunter2"
    command = _command(_changed(copy, "contract.json", command=f"pytest --engine=celery {secret}"))

    assert "hunter2" not in command
    assert command.startswith("pytest --engine=celery --set ")
