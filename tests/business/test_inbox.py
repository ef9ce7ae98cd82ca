"""What waits for a person, and the person's answer, on engines that keep both in different places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.processes.traces import until
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow]


@dataclass
class Office:
    """A deployment with one worker."""

    terminal: Terminal

    def bakeoff(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; return all of its output."""
        done = self.terminal.run_here(list(arguments))
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def waiting(self, *options: str) -> dict[str, Any]:
        """``{workflow id: row}`` in the order of the inbox."""
        done = self.terminal.run_here(["inbox", "--json", *options])
        assert done.returncode == 0, done.stderr
        return {row["workflow_id"]: row for row in json.loads(done.stdout)}

    def until_waiting(self, workflow_id: str, wait: str) -> None:
        """Until it is in the inbox, for that decision."""

        def waits() -> bool:
            return bool(self.waiting().get(workflow_id, {}).get("waits_for") == wait)

        until(waits, f"{workflow_id} waits for {wait}", 30)

    def asks(self, number: str) -> str:
        """Somebody asks for an approval; return the saga's id when it waits for one."""
        self.bakeoff("start", "approval-days", f"request-{number}")
        self.until_waiting(f"approval-days-request-{number}", "decision")
        return f"approval-days-request-{number}"


@pytest.fixture(
    scope="module",
    params=["celery", "temporal", *map(more, ("dramatiq", "choreography", "celery-sagalog"))],
)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    terminal = Terminal(tmp_path_factory.mktemp(request.param))
    line = ["up", "--engine", request.param, "--config", "ci", "--saga", "approval"]
    # On Valkey Celery would repeat a timer that is longer than its lease: three days, for the superior.
    line += ["--set", "celery.visibility_timeout=300000"] if request.param == "celery" else []
    with terminal.open(line) as up:
        up.wait_for("Ctrl-C stops everything.")
        with terminal.open(["worker"]) as worker:
            worker.wait_for("is ready")
            yield Office(terminal)


def _decided(told: str) -> dict[str, Any]:
    """What ``bakeoff result`` prints of the step that wrote the decision down, without its time."""
    (line,) = (line for line in told.splitlines() if line.split()[0] == "record_decision")
    decided: dict[str, Any] = json.loads(line.partition("record_decision")[2])
    age = datetime.now(UTC) - datetime.fromisoformat(decided.pop("at"))
    assert 0 <= age.total_seconds() < 600, line
    return decided


def test_a_request_is_approved(office: Office) -> None:
    request = office.asks("1")
    office.bakeoff("approve", request, "--by", "Ada", "--comment", "as agreed")

    assert _decided(office.bakeoff("result", request)) == {
        "requestId": "request-1",
        "decision": "approve",
        "by": "Ada",
        "comment": "as agreed",
    }
    assert request not in office.waiting()


def test_a_request_is_rejected_and_undone(office: Office) -> None:
    """The decision and its reason stay, what was asked for is withdrawn."""
    request = office.asks("2")
    told = office.bakeoff("reject", request, "--by", "Grace", "--comment", "too expensive")
    assert f"{request}: reject of decision by Grace delivered" in told

    told = office.bakeoff("result", request, code=1)
    assert f"{request} compensated" in told
    assert "because execute_request: rejected by Grace" in told
    assert _decided(told) == {
        "requestId": "request-2",
        "decision": "reject",
        "by": "Grace",
        "comment": "too expensive",
    }
    again = office.bakeoff("reject", request, "--by", "Grace", code=2)
    assert "does not wait for a person (it is compensated)" in again


def test_an_order_is_rejected_too(office: Office) -> None:
    """A saga over orders, whose step reads the decision."""
    office.bakeoff("start", "order-approval", "order-128")
    office.until_waiting("order-128", "approval")
    office.bakeoff("reject", "order-128", "--by", "Grace")

    assert "order-128 compensated" in office.bakeoff("result", "order-128", code=1)


def test_those_that_wait_longest_come_first_and_a_limit_is_told(office: Office) -> None:
    """Who was handed on has waited for less long than whoever asked later."""
    first, second, third = (office.asks(number) for number in ("3", "4", "5"))
    assert list(office.waiting()) == [first, second, third]

    office.bakeoff("delegate", first, "--to", "Grace", "--by", "Ada")
    office.until_waiting(first, "final_decision")
    rows = office.waiting()
    assert list(rows) == [second, third, first]
    assert rows[second]["since"] < rows[third]["since"] < rows[first]["since"]

    assert list(office.waiting("--limit", "2")) == [second, third]
    told = office.bakeoff("inbox", "--limit", "2")
    assert first not in told
    assert "warning: more than 2 wait; these have waited longest (--limit shows more)" in told
    assert "warning" not in office.bakeoff("inbox", "--limit", "3")
    for request in (first, second, third):
        office.bakeoff("approve", request, "--by", "Grace")
        office.bakeoff("result", request)
    assert "nothing waits for a person" in office.bakeoff("inbox")
