"""The named loads of orders, each played for a few seconds by the command that people type."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.steady import run_steadily
from tests.tiers import more, thorough

_EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _played(terminal: Terminal, *options: str) -> dict[str, Any]:
    """The only block; the ledger is valid, and nothing is left."""
    line = ["load", *options, "--warm-up", "1", "--rounds", "1", "--json", "load.json"]
    done = run_steadily(terminal, line, makes=["load.json"])
    result = json.loads((terminal.folder / "load.json").read_text())
    (block,) = result["blocks"]

    assert result["validity"] == "valid", done.stdout + done.stderr
    assert block["arrived"] > 10
    assert terminal.leftovers() == []
    return dict(block)


@pytest.mark.parametrize(
    ("name", "parts"),
    [more("order-ramp", 5), ("order-steps", 5), more("order-spike", 3), more("order-soak", 0)],
)
def test_loads_that_change_are_told_part_by_part(terminal: Terminal, name: str, parts: int) -> None:
    """A soak of eight seconds is not long enough to be cut."""
    block = _played(
        terminal,
        "--scenario",
        name,
        "--engine",
        "inline",
        "--rate",
        "12",
        "--duration",
        "8",
        "--arrivals",
        "constant",
    )

    assert len(block["parts"]) == parts
    assert sum(part["latency"]["n"] for part in block["parts"]) <= block["arrived"]
    if name == "order-ramp":
        rates = [part["offered_per_s"] for part in block["parts"]]
        assert rates == sorted(rates)


def test_a_saga_of_ones_own_declines_under_load_what_its_facts_say(terminal: Terminal) -> None:
    """The process of ``docs/examples``: one of ten users is declined."""
    shutil.copy(_EXAMPLES / "onboarding.py", terminal.folder)
    options = ("--engine", "inline", "--saga", "onboarding:ONBOARDING", "--rate", "30", "--duration", "4")
    block = _played(terminal, *options)

    assert {name.partition("-")[2] for name in block["latencies"]} >= {
        "completed-settled",
        "compensated-settled",
    }


def test_slow_neighbours_have_percentiles_of_their_own(terminal: Terminal) -> None:
    block = _played(
        terminal, "--scenario", "noisy-neighbour", "--engine", "inline", "--rate", "12", "--duration", "8"
    )

    quick, slow = (block["latencies"][f"{kind}-completed-settled"] for kind in ("order", "slow"))
    assert quick["p50"] < 1 < slow["p50"], "its first step takes a second"


@thorough
def test_a_server_is_killed_under_load_and_nobody_is_lost(terminal: Terminal) -> None:
    block = _played(
        terminal,
        *("--scenario", "order-server-crash", "--engine", "dramatiq", "--broker", "valkey", "--config", "ci"),
        *("--rate", "6", "--duration", "10"),
    )

    (fault,) = block["faults"]
    assert (fault["fault"], fault["missed"]) == ("server-kill:charge_payment.after_effect", "")
    assert fault["in_flight_lost"] == 0
    assert fault["hit_slowest_s"] >= fault["hit_p50_s"] > 0


@thorough
@pytest.mark.timeout(900)
def test_a_publishable_run_from_end_to_end(terminal: Terminal) -> None:
    """Search, confirmation, rounds, the World and the generator alone: small, and all of it real."""
    line = ["load", "--profile", "publishable", "--engine", "dramatiq", "--broker", "valkey", "--rounds", "2"]
    done = terminal.run(
        [
            *line,
            "--engine",
            "inline",
            "--duration",
            "4",
            "--warm-up",
            "1",
            "--out",
            "kept",
            "--json",
            "load.json",
        ],
        within_s=900,
    )
    result = json.loads((terminal.folder / "load.json").read_text())

    assert result["complete"] is True, done.stderr
    assert result["validity"] == "valid", done.stdout
    assert result["world"]["orders_per_s"] > 100
    for label, about in result["contestants"].items():
        found = about["sustained"]
        assert found["rate_per_s"] > 5, f"{label}: {found}"
        blocks = {block["block"]: block for block in result["blocks"] if block["contestant"] == label}
        assert set(blocks) == {"16 in flight", "25%", "50%", "75%", "90%"}
        assert blocks["50%"]["rate"] == pytest.approx(found["rate_per_s"] / 2)
    alone = result["contestants"]["dramatiq[valkey]"]["generator_alone"]
    rate = result["contestants"]["dramatiq[valkey]"]["sustained"]["rate_per_s"]
    assert alone["offered_per_s"] == pytest.approx(3 * rate, rel=0.3)
    assert "generator_alone" not in result["contestants"]["inline"]
    assert terminal.run(["check", "kept"]).returncode == done.returncode
    assert terminal.leftovers() == []
