"""Faults of services and of the bridge: they land, and what a saga is left with is whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bakeoff.business import BILLING, ONBOARDING, ONBOARDING_DAYS
from bakeoff.errors import UsageError
from bakeoff.orders import ORDER
from bakeoff.world import Aim
from bakeoff_bench.crash.points import check_saga, points_of, windows_of
from bakeoff_bench.crash.road import road_to, steps_before
from tests.cli.terminal import Terminal
from tests.tiers import more, thorough

#: What an engine has to do with it is told elsewhere: here is none whose leases would have to be waited for.
_LINE = [
    *("crash", "--engine", "inline", "--bridge", "nats", "--config", "recommended", "--kills", "1"),
    *("--deadline", "40", "--json", "kills.json", "--no-report"),
]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _crash(terminal: Terminal, *options: str) -> list[dict[str, Any]]:
    done = terminal.run([*_LINE, *options], within_s=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert terminal.leftovers() == []
    kills: list[dict[str, Any]] = json.loads((terminal.folder / "kills.json").read_text())["kills"]
    return kills


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["service-kill", more("service-away")])
def test_a_service_is_lost_in_the_middle_of_a_command(terminal: Terminal, fault: str) -> None:
    """Its effect is committed and nobody knows: only the key keeps the repeat from charging twice."""
    point = "charge_payment.command_done"
    (kill,) = _crash(terminal, "--fault", fault, "--point", point)

    assert kill["outcome"] == "would have duplicated"
    assert kill["ended"]


@pytest.mark.service
@pytest.mark.slow
def test_the_bridge_is_lost_in_the_middle_of_a_command(terminal: Terminal) -> None:
    """The answer gets through if both ends find the new server before it is sent; otherwise as above."""
    (kill,) = _crash(terminal, "--fault", "bridge-kill", "--point", "charge_payment.command_done")

    assert kill["outcome"] in ("would have duplicated", "clean")
    assert kill["ended"]


@thorough
@pytest.mark.service
@pytest.mark.slow
def test_a_service_is_paused_longer_than_anybody_waits(terminal: Terminal) -> None:
    """It has one instance here, so its late command and the undo that waits for it come in any order.

    With two instances: ``test_service_commands``.
    """
    (kill,) = _crash(terminal, "--fault", "service-pause", "--point", "charge_payment.command_taken")

    assert kill["outcome"] in ("clean", "retried")
    assert kill["recovery_s"] > 6, "three attempts of two seconds each had their time"


@pytest.mark.service
@pytest.mark.slow
@thorough
def test_an_event_is_lost_between_the_answer_and_its_publication(terminal: Terminal) -> None:
    """The saga has its answer and knows nothing of it. Who waits for it: ``test_service_commands``."""
    (kill,) = _crash(terminal, "--fault", "service-kill", "--point", "charge_payment.command_answered")

    assert kill["outcome"] == "clean"
    assert kill["ended"]


@pytest.mark.service
@pytest.mark.slow
@thorough
def test_a_worker_is_no_service(terminal: Terminal) -> None:
    (kill,) = _crash(terminal, "--fault", "worker-kill", "--point", "charge_payment.command_done")

    assert kill["outcome"] == "not supported"
    assert kill["detail"] == "the process at this point is a service's, not the engine's"


@thorough
@pytest.mark.service
@pytest.mark.slow
def test_profiles_strike_services_where_there_is_a_bridge(terminal: Terminal) -> None:
    """``ci`` on an engine that survives its worker: two kills of that, and one of a service."""
    line = ["crash", "--engine", "dramatiq", "--broker", "valkey", "--bridge", "nats", "--profile", "ci"]
    done = terminal.run([*line, "--json", "kills.json", "--no-report"], within_s=240)
    kills = json.loads((terminal.folder / "kills.json").read_text())["kills"]

    assert done.returncode == 0, done.stdout + done.stderr
    told = {(kill["fault"], kill["point"]): kill["outcome"] for kill in kills}
    assert told.keys() == {
        ("worker-kill", "charge_payment.after_effect"),
        ("worker-kill", "refund_payment.before_effect"),
        ("service-kill", "charge_payment.command_done"),
    }
    assert told["service-kill", "charge_payment.command_done"] == "would have duplicated"
    assert re.search(r"^3 kills of order sagas .*: about \d+ (s|min);", done.stdout, re.MULTILINE)
    assert terminal.leftovers() == []


def test_without_a_bridge_there_is_no_service(terminal: Terminal) -> None:
    refused = terminal.run([*_LINE[:3], "--point", "charge_payment.command_done"])

    assert refused.returncode == 2
    assert "charge_payment.command_done" in refused.stderr


def test_windows_stand_at_every_command() -> None:
    names = {f"{window.aim.step}.{window.aim.point}" for window in windows_of(ORDER, (), "nats")}

    assert {f"charge_payment.command_{what}" for what in ("taken", "done", "answered")} <= names
    assert "send_confirmation.command_answered" not in names, "its answer is no event"
    assert windows_of(ORDER, ()) == []


def test_points_are_those_that_a_saga_comes_to() -> None:
    names = set(points_of(ONBOARDING_DAYS))

    assert {"verified.while_waiting", "provision_account.after_effect"} <= names
    assert not {name for name in names if name.startswith(("remind.", "verified_late."))}
    with pytest.raises(UsageError, match="short waits"):
        check_saga(ONBOARDING)
    check_saga(ONBOARDING_DAYS)


def test_an_escalation_is_reached_by_exhaustion() -> None:
    spent = {"charge_invoice:action": {"then": "fault"}}
    forward = road_to(BILLING, Aim("escalate_invoice", "action", "before_effect"))
    back = road_to(BILLING, Aim("escalate_invoice", "compensation", "before_effect"))
    ordinary = road_to(BILLING, Aim("charge_invoice", "compensation", "before_effect"))

    assert forward.fates == spent
    assert back.fates == spent | {"suspend_account:action": {"then": "decline"}}
    assert ordinary.fates == {"send_receipt:action": {"then": "decline"}}
    assert [step.name for step in steps_before(BILLING, "suspend_account")] == [
        "generate_invoice",
        "escalate_invoice",
    ]
