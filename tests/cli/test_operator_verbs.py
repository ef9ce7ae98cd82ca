"""What an operator does about sagas that came to no good end, on each engine that has workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from redis import Redis

from bakeoff import deployment as deployments
from bakeoff.cli.state import read_state
from bakeoff.contract.trace import Trace
from bakeoff.world import Fate, World
from tests.cli.terminal import Terminal
from tests.processes.traces import until
from tests.tiers import more

pytestmark = pytest.mark.service

_TRIP = "bakeoff.contract.sagas:TRIP"
_DECLINED: Fate = {"then": "decline"}
_BROKEN: Fate = {"then": "fault"}


@dataclass
class Site:
    """A deployment that is up; workers come and go."""

    engine: str
    terminal: Terminal

    def bakeoff(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; return all of its output."""
        done = self.terminal.run_here(list(arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    @property
    def deployment(self) -> deployments.Deployment:
        """As the other commands find it."""
        return read_state(self.terminal.folder / ".bakeoff").deployment(None)

    def stuck(self, older_than: str, *more: str) -> str:
        """What ``bakeoff stuck`` prints, whatever it answers."""
        return self.terminal.run_here(["stuck", "--older-than", older_than, *more]).stdout

    @contextmanager
    def world(self) -> Iterator[World]:
        """The services of the deployment."""
        world = World.open(self.deployment.world_url)
        try:
            yield world
        finally:
            world.close()

    def suffers(self, workflow_id: str, fates: Mapping[str, Fate]) -> None:
        """From now on, its calls suffer these."""
        with self.world() as world:
            world.set_fate(workflow_id, fates)

    def trace(self, workflow_id: str) -> Trace:
        """What the services have seen."""
        with self.world() as world:
            return Trace(world.ledger(workflow_id=workflow_id))

    def start(self, workflow_id: str) -> None:
        """Start a trip."""
        assert "started" in self.bakeoff("start", _TRIP, '{"nights": 3}', "--id", workflow_id)


@pytest.fixture(scope="module", params=[more("celery"), "dramatiq", "temporal"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Up, without a worker until ``attended`` starts one."""
    terminal = Terminal(tmp_path_factory.mktemp(request.param))
    with terminal.open(["up", "--engine", request.param, "--config", "ci", "--saga", _TRIP]) as up:
        up.wait_for("Ctrl-C stops everything.")
        yield Site(request.param, terminal)


@pytest.fixture(scope="module")
def attended(site: Site) -> Iterator[Site]:
    """The same with one worker."""
    with site.terminal.open(["worker"]) as worker:
        worker.wait_for("1 worker process is ready")
        yield site


def test_sagas_without_a_worker_are_stuck(site: Site) -> None:
    """First in this file: a worker comes with the next test."""
    site.start("unattended")
    until(lambda: "unattended" in site.stuck("0.5"), "it is stuck")

    told = site.bakeoff("stuck", "--older-than", "0.5", code=1)
    assert "unattended (trip) stuck" in told
    assert "no worker has come up yet" in told
    assert "no step of it has been tried" in told
    assert f"bakeoff worker --engine {site.engine}" in told
    assert "no worker has come up yet" in site.bakeoff("redrive", "unattended", "--older-than", "0.5", code=2)
    assert "it makes progress: it was started" in site.bakeoff("redrive", "unattended", code=2)
    if site.engine != "temporal":
        _lose_every_message(site)


def test_a_lost_saga_is_redriven(attended: Site) -> None:
    """Its message is gone; Temporal loses none, so there somebody ends the workflow from outside."""
    site, lost = attended, "unattended"
    if site.engine == "temporal":
        lost = "ended"
        site.suffers(lost, {"book_hotel:action": {"first": ["slow:6"]}})
        site.start(lost)
        until(lambda: bool(site.trace(lost).attempts("book_hotel")), "it has come to the hotel")
        asyncio.run(_terminate(site, lost))
    until(lambda: f"{lost} (trip) stuck" in site.stuck("1"), "it is stuck")

    assert "--step chooses among" in site.bakeoff("redrive", lost, "--step", "book_car", code=2)
    told = site.bakeoff("redrive", lost, "--older-than", "1", "--wait")
    assert f"{lost} completed" in told
    assert site.trace(lost).story() == ["book_flight", "book_hotel", "book_car", "send_itinerary"]
    assert "there is nothing to redrive" in site.bakeoff("redrive", lost, code=2)


def test_a_failed_compensation_is_listed_and_redriven(attended: Site) -> None:
    site = attended
    site.suffers("failed", {"book_car:action": _DECLINED, "book_hotel:compensation": _BROKEN})
    site.start("failed")
    assert "failed compensation_failed" in site.bakeoff("result", "failed", code=1)
    # A server's list may lag behind its word.
    until(lambda: "failed (trip) compensation_failed" in site.stuck("60"), "it is listed")

    told = site.bakeoff("stuck", code=1)
    assert "failed (trip) compensation_failed" in told
    assert "this is not undone: book_hotel" in told
    assert "bakeoff redrive failed" in told
    (listed,) = json.loads(site.bakeoff("stuck", "--json", code=1))
    assert (listed["workflow_id"], listed["standing"]) == ("failed", "compensation_failed")

    told = site.bakeoff("redrive", "failed", "--step", "book_flight", code=2)
    assert "those are: book_hotel" in told
    again = site.bakeoff("redrive", "failed", "--wait", code=1)  # nobody has repaired the reason
    assert "not undone, a person must look at it: book_hotel" in again

    site.suffers("failed", {"book_car:action": _DECLINED})
    told = site.bakeoff("redrive", "failed", "--step", "book_hotel", "--wait")
    assert "failed compensated" in told
    assert "because book_car" in told
    undone = [word for word in site.trace("failed").story() if word.startswith("undo")]
    assert sorted(undone) == ["undo book_flight", "undo book_hotel"]  # each once
    assert "failed compensated" in site.bakeoff("result", "failed", code=1)
    assert "there is nothing to redrive" in site.bakeoff("redrive", "failed", code=2)
    assert "no saga is stuck" in site.bakeoff("stuck")

    def listed_once() -> bool:
        rows = json.loads(site.bakeoff("list", "--json"))
        return [one["status"] for one in rows if one["workflow_id"] == "failed"] == ["compensated"]

    until(listed_once, "the list tells the new outcome, and nothing of the old one")


def test_a_saga_that_only_repeats_itself_is_stuck(attended: Site) -> None:
    """At the pivot it is tried without limit; Temporal can be asked to try at once."""
    site = attended
    site.suffers("order-127", {"capture_payment:action": _BROKEN})
    site.bakeoff("start", "order-pivot", "order-127")
    until(lambda: "order-127 (order-pivot) stuck" in site.stuck("1"), "it is stuck")
    assert "capture_payment" in site.stuck("1")

    done = site.terminal.run_here(["redrive", "order-127", "--older-than", "1"])
    if site.engine == "temporal":
        assert done.returncode == 0 or "the server tries for itself" in done.stderr
    else:
        assert done.returncode == 2
        assert "its message" in done.stderr
    site.suffers("order-127", {})
    assert "order-127 completed" in site.bakeoff("result", "order-127")


def test_what_waits_is_not_stuck(attended: Site) -> None:
    site = attended
    site.bakeoff("start", "order-approval", "order-128")
    until(lambda: "order-128" in site.stuck("0.5", "--waiting"), "it waits")

    told = site.bakeoff("stuck", "--older-than", "0.5")
    assert "more wait for a signal or a timer" in told
    assert "no saga is stuck" in told
    refused = site.bakeoff("redrive", "order-128", "--older-than", "0.5", code=2)
    assert "it waits for the signal 'approval'" in refused


def test_dead_letters_or_the_reason_why_there_are_none(attended: Site) -> None:
    """A declined step's message is a dead letter in Dramatiq, but one that was acted upon."""
    site = attended
    if site.engine != "dramatiq":
        assert f"error: {site.engine} has no dead letters: " in site.bakeoff("dead-letters", code=1)
        return
    site.suffers("declined", {"book_hotel:action": _DECLINED})
    site.start("declined")
    assert "declined compensated" in site.bakeoff("result", "declined", code=1)

    told = site.bakeoff("dead-letters")
    assert "more were acted upon by compensation" in told
    assert "no dead letter needs a person" in told
    (letter,) = [
        one
        for one in json.loads(site.bakeoff("dead-letters", "--all", "--json"))
        if one["workflow_id"] == "declined"
    ]
    assert (letter["what"], letter["saga_status"]) == ("trip.book_hotel", "compensated")
    refused = site.bakeoff("dead-letters", "--requeue", letter["message_id"], code=2)
    assert "its saga has settled without it" in refused
    assert "there is no dead letter 'nobody'" in site.bakeoff("dead-letters", "--requeue", "nobody", code=2)


def test_an_unknown_saga_is_one_line(attended: Site) -> None:
    told = attended.bakeoff("redrive", "nobody", code=1)

    assert told.startswith("error: ")
    assert len(told.splitlines()) == 1


def _lose_every_message(site: Site) -> None:
    """Of a broker that is a Valkey; what the adapters keep there beside the queue stays."""
    client = Redis.from_url(site.deployment.addresses["broker"])
    try:
        for key in client.scan_iter("*"):
            if b"saga:" not in key:
                client.delete(key)
    finally:
        client.close()


async def _terminate(site: Site, workflow_id: str) -> None:
    from bakeoff_temporal.connection import DRAIN_S, connect

    client = await connect(site.deployment)
    await client.get_workflow_handle(workflow_id).terminate("by a test")
    await asyncio.sleep(DRAIN_S)
