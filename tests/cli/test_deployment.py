"""A running deployment with a worker, and every command that talks to it, on each engine that has workers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from bakeoff.cli.state import read_state
from bakeoff.engine import Capability, Support
from bakeoff.orders import ORDER
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from tests.cli.terminal import Background, Terminal
from tests.processes.traces import until
from tests.tiers import one_of, thorough

pytestmark = pytest.mark.service


@dataclass
class Deployment:
    """What is up, the worker in its own terminal, and the user's terminal beside them."""

    engine: str
    terminal: Terminal
    worker: Background

    def bakeoff(self, *arguments: str, code: int = 0, process: bool = False) -> str:
        """Run a command; return its standard output, or all of its output if ``code`` is not 0.

        Every engine gets some of its commands as processes of their own, as users run them; others run here.
        """
        run = self.terminal.run if process else self.terminal.run_here
        done = run(list(arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def lacks(self, capability: Capability) -> str | None:
        """The declared reason why the engine cannot do this; ``None`` if it can."""
        engine = Plugins().engine(self.engine)
        settings = resolve(self.engine, engine.info().settings, ConfigClass.CI)
        claim = engine.info(settings).claims[capability]
        return claim.reason if claim.support is Support.ABSENT else None


def _with_workers() -> list[str]:
    plugins = Plugins()
    return [name for name in plugins.engine_names() if not plugins.engine(name).info().in_process]


@pytest.fixture(scope="module", params=one_of(_with_workers(), "celery"))
def deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    terminal = Terminal(tmp_path_factory.mktemp(request.param))
    with terminal.open(["up", "--engine", request.param, "--config", "ci"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        with terminal.open(["worker", "--engine", request.param]) as worker:
            worker.wait_for("1 worker process is ready")
            yield Deployment(request.param, terminal, worker)


def test_an_order_completes_and_starting_it_again_changes_nothing(deployment: Deployment) -> None:
    first = deployment.bakeoff("start", "order", "order-123", "--wait", process=True)
    assert first.splitlines()[0] == "started order-123"
    assert "order-123 completed" in first
    assert 'reserve_inventory    {"orderId": "order-123", "units": 3}' in first

    again = deployment.bakeoff("start", "order", "order-123")
    assert again.splitlines()[0] == "order-123 exists already; nothing was started"

    conflict = deployment.bakeoff("start", "order", "order-128", "--id", "order-123", code=1)
    assert "error: " in conflict
    assert len([line for line in conflict.splitlines() if line.startswith("error: ")]) == 1


def test_a_client_that_leaves_at_once_can_leave(deployment: Deployment) -> None:
    """Whatever a client still sets up behind the scenes when its one request is answered."""
    deployment.bakeoff("start", "order", "order-123")
    known = read_state(deployment.terminal.folder / ".bakeoff").deployment(None)
    engine = Plugins().engine(deployment.engine)

    async def visit(number: int) -> None:
        client = await engine.connect(known)
        assert not await client.start(ORDER, "order-123", "order-123")
        await asyncio.sleep(number / 10_000)  # somewhere within the first milliseconds
        async with asyncio.timeout(20):
            await client.close()

    for number in range(30):
        asyncio.run(visit(number))


def test_a_saga_is_found_in_the_web_ui_of_an_engine_that_has_one(deployment: Deployment) -> None:
    """The page that is printed is served; who has none says nothing of it."""
    deployment.bakeoff("start", "order", "order-123", "--wait")
    told = deployment.bakeoff("describe", "order-123", process=True)
    described = json.loads(deployment.bakeoff("describe", "order-123", "--json"))
    if deployment.engine != "temporal":
        assert "web UI" not in told
        assert "web_ui" not in described
        return
    url = described["web_ui"]["url"]

    assert f"  web UI         {url}" in told
    assert "/workflows/order-123/" in url
    with urlopen(url, timeout=5) as answer:
        assert "<html" in answer.read().decode()
    unknown = deployment.bakeoff("describe", "order-0", code=1)
    assert "web UI" not in unknown


def test_a_declined_order_is_compensated_and_says_why(deployment: Deployment) -> None:
    told = deployment.bakeoff("start", "order", "order-124", "--wait", code=1)

    assert "order-124 compensated" in told
    assert "because charge_payment: " in told


def test_json_is_alone_on_standard_output(deployment: Deployment) -> None:
    done = deployment.terminal.run(["start", "order", "order-125", "--wait", "--json"])
    answer = json.loads(done.stdout)

    assert done.returncode == 1
    assert answer["workflow_id"] == "order-125"
    assert answer["started"] is True
    assert answer["status"] == "compensated"
    assert answer["cause"]["step"] == "reserve_inventory"
    assert "scone" in answer["cause"]["message"]

    repeated = deployment.terminal.run_here(["result", "order-125", "--json"])
    assert repeated.returncode == 1
    assert json.loads(repeated.stdout)["status"] == "compensated"


def test_an_unknown_order_is_refused_before_anything_starts(deployment: Deployment) -> None:
    told = deployment.bakeoff("start", "order", "order-999", code=2)

    assert "there is no order 'order-999' here; there are order-123, " in told
    assert "order-999" not in deployment.bakeoff("list", code=0)


def test_an_unknown_saga_is_refused(deployment: Deployment) -> None:
    assert "Did you mean 'order'?" in deployment.bakeoff("start", "ordre", "order-123", code=2)


def test_a_saga_that_the_workers_do_not_know_is_refused(deployment: Deployment) -> None:
    (deployment.terminal.folder / "mine.py").write_text(
        "from bakeoff import Saga, Step\n"
        "def greet(call): return 'hello'\n"
        "SAGA = Saga('mine', (Step(name='greet', action=greet),))\n"
    )
    told = deployment.bakeoff("start", "mine:SAGA", "1", code=2, process=True)

    assert f"bakeoff up --engine {deployment.engine} --saga mine:SAGA" in told


@pytest.mark.parametrize("command", ["result", "cancel", "describe"])
def test_an_unknown_id_is_one_line(deployment: Deployment, command: str) -> None:
    told = deployment.bakeoff(command, "order-0", code=1)

    assert told.startswith("error: ")
    assert len(told.splitlines()) == 1


def test_a_saga_that_waits_is_described_signalled_and_completes(deployment: Deployment) -> None:
    deployment.bakeoff("start", "order-approval", "order-128")
    late = deployment.terminal.run_here(["result", "order-128", "--timeout", "1"])
    assert late.returncode == 1
    assert late.stderr.startswith("error: ")

    if reason := deployment.lacks(Capability.DESCRIBE):
        assert reason in deployment.bakeoff("describe", "order-128", code=1)
    else:
        until(
            lambda: "approval" in deployment.bakeoff("describe", "order-128"),
            "the description names what is awaited",
        )
        assert "running" in deployment.bakeoff("describe", "order-128")

    payload = ["--payload", '{"approved": true}']
    told = deployment.bakeoff("signal", "order-128", "approval", *payload, "--signal-id", "once")
    assert "signal approval delivered (id once)" in told
    assert "completed" in deployment.bakeoff("result", "order-128", process=True)
    repeated = deployment.bakeoff("signal", "order-128", "approval", *payload, "--signal-id", "once")
    assert "was delivered before" in repeated
    assert "error: " in deployment.bakeoff("signal", "order-128", "approval", *payload, code=1)


def test_ctrl_c_ends_the_waiting_and_not_the_saga(deployment: Deployment) -> None:
    line = ["start", "order-approval", "order-128", "--id", "patient", "--wait"]
    with deployment.terminal.open(line) as waiting:
        waiting.wait_for("started patient")
        assert waiting.interrupt() == 130
        assert "Traceback" not in waiting.text

    deployment.bakeoff("signal", "patient", "approval", "--payload", '{"approved": true}')
    assert "patient completed" in deployment.bakeoff("result", "patient")


def test_cancel_is_requested_or_the_reason_is_told(deployment: Deployment) -> None:
    deployment.bakeoff("start", "order-approval", "order-129")
    if reason := deployment.lacks(Capability.CANCEL):
        assert f"error: {deployment.engine} does not support cancel: {reason}" in deployment.bakeoff(
            "cancel", "order-129", code=1
        )
        return

    assert "cancel requested" in deployment.bakeoff("cancel", "order-129")
    told = deployment.bakeoff("result", "order-129", code=1)
    assert "order-129 compensated" in told
    assert "Cancelled" in told


def test_list_by_status(deployment: Deployment) -> None:
    deployment.bakeoff("start", "order", "order-127", "--wait")
    if reason := deployment.lacks(Capability.LIST):
        assert reason in deployment.bakeoff("list", code=1)
        return

    def completed() -> bool:
        return "order-127" in deployment.bakeoff("list", "--status", "completed")

    until(completed, "it is listed as completed")  # an index may be a moment behind
    listed = json.loads(deployment.bakeoff("list", "--status", "completed", "--json"))
    mine = [one for one in listed if one["workflow_id"] == "order-127"]
    assert [one["status"] for one in mine] == ["completed"]
    assert "order-127" not in deployment.bakeoff("list", "--status", "compensated")


def test_history_says_where_it_comes_from(deployment: Deployment) -> None:
    deployment.bakeoff("start", "order", "order-127", "--wait")

    told = deployment.bakeoff("history", "order-127")

    reason = deployment.lacks(Capability.EVENT_HISTORY)
    if reason is None:
        assert told.startswith(f"From the event history of {deployment.engine}:")
        assert "charge_payment" in told
    else:
        assert told.startswith("From the ledger of the services (")
        assert reason in told.splitlines()[0]
        # Two injected faults, then the effect.
        assert told.count("attempt of charge_payment (action)") == 3
        assert told.count("effect of charge_payment (action)") == 1
    assert "error: " in deployment.bakeoff("history", "order-0", code=1)


def test_a_killed_worker_is_started_again_and_works(deployment: Deployment) -> None:
    def workers() -> list[psutil.Process]:
        supervisor = psutil.Process(deployment.worker.popen.pid)
        return [child for child in supervisor.children() if "watchdog" not in " ".join(child.cmdline())]

    (victim,) = workers()
    os.kill(victim.pid, signal.SIGKILL)
    deployment.worker.wait_for("warning: a worker ended and was started again (restart 1)")

    assert "noop-after completed" in deployment.bakeoff("start", "noop", "after", "--wait")
    (heir,) = workers()
    assert heir.pid != victim.pid


def test_the_users_own_saga(tmp_path: Path) -> None:
    """Its input is JSON where it reads as JSON, and its workflow id says what it is."""
    terminal = Terminal(tmp_path)
    (terminal.folder / "mine.py").write_text(
        "from bakeoff import Saga, Step\n"
        "def greet(call): return f\"hello {call.input['name']}\"\n"
        "SAGA = Saga('greeting', (Step(name='greet', action=greet),))\n"
    )
    with terminal.open(["up", "--engine", "temporal", "--saga", "mine:SAGA"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        unattended = terminal.run(["start", "mine:SAGA", '{"name": "Ada"}'])
        assert unattended.returncode == 0
        assert "warning: no worker has come up yet" in unattended.stderr
        workflow_id = unattended.stdout.splitlines()[0].removeprefix("started ")
        assert workflow_id.startswith("greeting-")
        with terminal.open(["worker"]) as worker:
            worker.wait_for("is ready")
            done = terminal.run(["result", workflow_id])
        again = terminal.run(["start", "mine:SAGA", '{"name": "Bob"}'])
        assert "warning: no worker runs any more; in another terminal" in again.stderr
    assert '"hello Ada"' in done.stdout
    assert done.returncode == 0


@thorough
def test_two_engines_at_once(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with terminal.open(["up", "-e", "celery", "-e", "dramatiq", "--state", "both"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        assert "bakeoff worker --engine celery --state both" in up.text
        undecided = terminal.run_here(["list", "--state", "both"])
        assert undecided.returncode == 2
        assert "several engines are up (celery, dramatiq); choose one with --engine" in undecided.stderr
        absent = terminal.run_here(["list", "--state", "both", "--engine", "temporal"])
        assert absent.returncode == 2
        assert "engine 'temporal' is not up here; up: celery, dramatiq" in absent.stderr
        commands = [["worker", "-e", engine, "--state", "both"] for engine in ("celery", "dramatiq")]
        with terminal.open(commands[0]) as one, terminal.open(commands[1]) as other:
            for engine, worker in (("celery", one), ("dramatiq", other)):
                worker.wait_for("is ready")
                start = ["start", "order", "order-123", "--wait", "-e", engine, "--state", "both"]
                assert "order-123 completed" in terminal.run_here(start).stdout
    assert not (terminal.folder / "both").exists()
    assert terminal.leftovers() == []
