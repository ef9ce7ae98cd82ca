"""Every number leads to the command that makes it again: the very line, as far as its source kept it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Figure
from bakeoff_bench.report.sources import Source, read_sources
from tests.report.conftest import contract
from tests.report.synthetic import crash_result, load_result, write

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[2]
#: Their cells rest on other blocks, or say nothing that was measured.
_UNMEASURED = {"answer", "conditions", "unknown"}
#: What engines declare, with the command that shows it.
_DECLARED = {"contract-capabilities"}
ASKED = "pytest --engine=celery --broker rabbitmq --config recommended --contract-json contract.json"


def _changed(folder: Path, name: str, **more: Any) -> Path:
    found = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**found, **more}))
    return folder / name


def _command(file: Path) -> str:
    (source,) = read_sources([file])
    return source.command


def _struck() -> dict[str, Any]:
    """A load with everything that a load may have: a fault, parts, limits."""
    result = load_result()
    result["plan"]["fault"] = "worker-kill:charge_payment.after_effect"
    fault = {
        **{"missed": "", "at_s": 2.0, "in_flight": 3, "in_flight_lost": 0, "open_before": 1, "open_after": 4},
        **{"silent_s": 1.5, "recovery_s": None, "drained_s": 4.0},
    }
    for row in result["loads"]:
        row["measured"]["fault"] = fault
    latency = {"n": 100, "p50": 0.1, "p90": 0.2, "p95": None}
    part = {"from_s": 0, "until_s": 5, "offered_per_s": 20.0, "latency": latency, "open_at_end": 1}
    result["blocks"][0]["parts"] = [part]
    result["world"] = {
        **{"orders_per_s": 200.0, "orders_per_s_of_tries": [190.0, 210.0]},
        **{"cpu_ms_per_order": 1.5, "cpu_ms_of_tries": [1.4, 1.6]},
    }
    return result


def _measured(sources: Sequence[Source]) -> dict[str, str]:
    """``{id: command}`` of every block with measured numbers."""
    return {
        block.id: block.command
        for section in page_of(sources).sections
        if section.id not in _UNMEASURED
        for block in section.blocks
        if not any(block.id.startswith(one) for one in _DECLARED)
    }


def test_every_measured_block_leads_to_the_command_of_its_run(tmp_path: Path) -> None:
    results = {"load": _struck(), "crash": crash_result(), "contract": contract()}
    lines = {"kind": "lines", "format": 1, "engines": {"inline": {"signals": 20}}}
    files = [write(tmp_path, f"{name}.json", one) for name, one in {**results, "lines": lines}.items()]
    sources = read_sources([*files, ROOT / "docs" / "results" / "overhead.json"])
    found = _measured(sources)

    assert {id_.partition("-")[0] for id_ in found} == {
        *("contract", "crashes", "recovery", "load", "struck", "cost", "guarantees", "adapters", "harness"),
    }
    assert {id_ for id_, told in found.items() if not any(one.command in told for one in sources)} == set()
    load, crash, *_ = sources
    assert found["guarantees-table"] == f"{crash.command}; {load.command}"
    assert found["crashes-sums-1"] == f"{crash.command}; bakeoff check DIR"


def test_every_block_of_real_runs_leads_to_a_command(runs: Path) -> None:
    found = _measured(read_sources([runs]))

    assert {"correctness", "time"} <= {id_.partition("-")[0] for id_ in found}
    assert {id_ for id_, told in found.items() if not told.startswith(("bakeoff", "pytest"))} == set()


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
