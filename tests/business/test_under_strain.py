"""Each of the four processes with its worker killed in the middle of it, and under load, on real engines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bakeoff.checkers import Fate
from bakeoff.outcome import Status
from bakeoff_bench.crash.outcome import KillOutcome
from tests.cli.terminal import Terminal
from tests.crash.kills import Shot, make_kills
from tests.steady import run_steadily
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow]

#: What an engine that keeps its promises may come to.
_WELL = (KillOutcome.CLEAN, KillOutcome.RETRIED, KillOutcome.WOULD_HAVE_DUPLICATED)

#: While a process waits for the world, after an effect of its own, and on the way back.
_FULFILMENT = (Shot("delivered.while_waiting", "fulfilment-days"),)
_BILLING = (Shot("escalate_invoice.after_effect", "billing"),)
_ONBOARDING = (
    Shot("verified.while_waiting", "onboarding-days"),
    Shot("expire_verification.before_effect", "onboarding-days"),
)
_APPROVAL = (Shot("decision.while_waiting", "approval-days"),)
_ALL = (*_FULFILMENT, *_BILLING, *_ONBOARDING, *_APPROVAL)


@pytest.mark.parametrize(
    ("engine", "shots"),
    [
        pytest.param("dramatiq", (*_FULFILMENT, *_BILLING), id="dramatiq"),
        more("temporal", (*_ONBOARDING, *_APPROVAL), id="temporal"),
        # On Valkey Celery takes no wait that is longer than its lease, which a kill would have to outlast.
        more("celery", _BILLING, id="celery"),
        *(more(name, _ALL, id=name) for name in ("celery-sagalog", "choreography")),
    ],
)
def test_a_process_whose_worker_is_killed_goes_on(tmp_path: Path, engine: str, shots: Sequence[Shot]) -> None:
    """Whatever was waited for still comes, and is told to the worker that took over."""
    quick = {"heartbeat_timeout_s": "1"} if engine == "dramatiq" else {}
    kills = make_kills(tmp_path, engine, shots, overrides=quick)

    for shot, kill in zip(shots, kills, strict=True):
        about = f"{shot.saga} at {shot.point}: {kill.detail}"
        assert kill.outcome in _WELL, about
        assert kill.ended, about
        assert kill.recovery_s is not None, about
        ways = {planned.expected.status for planned in kill.planned}
        assert Status.COMPLETED in ways, "those beside it go their ordinary way"
        struck = kill.planned[0].expected
        assert (struck.status is Status.COMPENSATED) == shot.point.startswith("expire"), about
        assert (struck.exhausted == "charge_invoice") == shot.point.startswith("escalate"), about


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.mark.parametrize(
    ("scenario", "engine"),
    [
        ("fulfilment", "dramatiq"),
        more("onboarding", "temporal"),
        more("billing", "celery"),
        more("approval", "choreography"),
        more("fulfilment", "temporal"),
        more("onboarding", "celery-sagalog"),
        more("billing", "choreography"),
        more("approval", "dramatiq"),
    ],
)
def test_a_process_under_load_is_judged_like_any(terminal: Terminal, scenario: str, engine: str) -> None:
    """On a busy machine its one round may be void, and then it says so; the ledger is judged in any case."""
    line = ["load", "--scenario", scenario, "--engine", engine, "--rate", "5", "--duration", "5"]
    if engine.startswith(("celery", "dramatiq")):
        line += ["--broker", "valkey"]
    line += [
        "--warm-up",
        "1",
        "--rounds",
        "1",
        "--config",
        "recommended",
        "--json",
        "load.json",
        "--no-report",
    ]
    done = run_steadily(terminal, line, 180, makes=["load.json"])
    result = json.loads((terminal.folder / "load.json").read_text())

    assert result["validity"] == "valid", done.stdout + done.stderr
    (about,) = result["contestants"].values()
    assert about["counts"][str(Fate.COMPLETED)] >= 5, done.stdout
    assert about["counts"][str(Fate.STUCK)] == about["counts"][str(Fate.LOST)] == 0, done.stdout
    void = [block for block in result["blocks"] if block["void"]]
    assert done.returncode == (1 if void else 0), done.stdout + done.stderr
