"""The client's manners: many waiters on few connections, and what it can tell of a saga."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
import redis

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.deployment import Deployment
from bakeoff.errors import (
    ResultTimeoutError,
    ServerAwayError,
    SignalRejectedError,
    StartUnknownError,
    UsageError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Outcome, Status
from bakeoff.processes import free_ports
from bakeoff.saga import Saga
from bakeoff_dramatiq.client import LONGEST, DramatiqClient
from tests.engines.dramatiq_stack import rows_of, server, settings_of
from tests.engines.shared import Shared

pytestmark = pytest.mark.service

SAGAS = 1000


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.dramatiq("client", broker="valkey")


def test_a_thousand_waiting_sagas_need_a_handful_of_connections_and_hardly_any_requests(lab: Lab) -> None:
    """Outcomes are published; rows are only read again now and then, many at a time."""
    ids = [f"waiting-{number}" for number in range(SAGAS)]
    with rows_of(lab) as rows, redis.Redis.from_url(server(lab, "broker").address) as probe:
        for workflow_id in ids:
            rows.claim(sagas.TRIP, workflow_id, None)

        async def wait() -> tuple[int, int, list[Status]]:
            client = DramatiqClient(lab.stack.deployment)
            before, quiet = _connections(probe), await _asked(probe, 1.5)
            waiting = [asyncio.create_task(client.result(workflow_id, 60)) for workflow_id in ids]
            async with asyncio.timeout(40):  # a thousand callers subscribe and look once
                while await _asked(probe, 0.5) > quiet / 3 + SAGAS / 10:
                    pass
            used, asked = _connections(probe) - before, await _asked(probe, 3) - 2 * quiet
            for workflow_id in ids:
                rows.settle(sagas.TRIP, workflow_id, Outcome(Status.COMPLETED))
            outcomes = await asyncio.gather(*waiting)
            await client.close()
            return used, asked, [outcome.status for outcome in outcomes]

        used, asked, statuses = lab.thread.call(wait, 90)

    assert statuses == [Status.COMPLETED] * SAGAS
    assert used <= 4
    assert asked < SAGAS / 2, "one each per second would be three times as many as there are callers"


async def _asked(probe: redis.Redis, seconds: float) -> int:
    """Reads of sockets that the server makes meanwhile, the workers' too; a batch of commands is one."""
    began = int(probe.info("stats")["total_reads_processed"])
    await asyncio.sleep(seconds)
    return int(probe.info("stats")["total_reads_processed"]) - began


def _connections(probe: redis.Redis) -> int:
    return int(probe.info("clients")["connected_clients"])


def test_outcome_is_found_although_its_announcement_was_missed(lab: Lab) -> None:
    """A client that comes later, or whose subscription was down, reads the row."""
    settled = lab.settle(sagas.TRIP)

    async def ask_late() -> Status:
        client = DramatiqClient(lab.stack.deployment)
        try:
            return (await client.result(settled.started.workflow_id, 5)).status
        finally:
            await client.close()

    assert lab.thread.call(ask_late, 20) is Status.COMPLETED


def test_outcome_is_found_while_the_subscription_was_cut(lab: Lab) -> None:
    """The server drops every subscriber; the waiting caller hears nothing of it and gets its answer."""
    started = lab.start(sagas.APPROVAL)
    lab.until("it waits", lambda: started.describe().awaiting)

    async def wait() -> Status:
        waiting = asyncio.create_task(lab.stack.client.result(started.workflow_id, 20))
        await asyncio.sleep(0.2)
        with redis.Redis.from_url(server(lab, "broker").address) as probe:
            assert probe.client_kill_filter(_type="pubsub") >= 1
        await asyncio.to_thread(_signal_by_another_client, lab, started.workflow_id)
        return (await waiting).status

    assert lab.thread.call(wait, 30) is Status.COMPLETED


def _signal_by_another_client(lab: Lab, workflow_id: str) -> None:
    async def send() -> None:
        client = DramatiqClient(lab.stack.deployment)
        try:
            await client.signal(workflow_id, "approved", "s", True)
        finally:
            await client.close()

    asyncio.run(send())


def test_signal_whose_sender_died_before_publishing_is_published_by_the_repeated_one(lab: Lab) -> None:
    """The row was decided, nothing was published; the same signal id makes it good."""
    started = lab.start(sagas.APPROVAL)
    lab.until("it waits", lambda: started.describe().awaiting)
    with rows_of(lab) as rows:
        word, state = rows.signal(started.workflow_id, "approved", "s", {"by": "Grace"})
    assert (word, state is None) == ("go", False)

    with pytest.raises(SignalRejectedError):
        started.signal("approved", {"by": "Mallory"}, signal_id="t")
    assert started.signal("approved", {"by": "Grace"}, signal_id="s") is False
    settled = started.settled()

    assert settled.outcome.results["approved"] == {"by": "Grace"}
    assert settled.counts["after"] == 1


def test_description_tells_the_attempt_its_error_and_the_next_retry(lab: Lab) -> None:
    """On Valkey the message in flight can be read where it lies."""
    started = lab.start(sagas.POLICIES, fates={"patient:action": {"first": ["fault"], "then": "slow:4"}})
    started.until_attempted("patient", 2)

    description = started.describe()

    assert (description.current_step, description.attempt) == ("patient", 2)
    assert description.last_error == "InjectedFault: patient failed"
    assert started.outcome().status is Status.COMPLETED
    assert started.describe().status is Status.COMPLETED


def test_saga_that_is_too_long_for_a_pipeline_is_refused_before_anything_is_written(lab: Lab) -> None:
    """Messages nest, and JSON has a depth; better a refusal than a row without a message."""
    step = sagas.TRIP.step("send_itinerary")
    endless = Saga("endless", tuple(replace(step, name=f"step_{n}") for n in range(LONGEST + 1)))
    longest = Saga("longest", endless.elements[:LONGEST])

    with pytest.raises(UsageError, match="401 elements"):
        lab.prepare(endless, workflow_id="endless").start()
    with pytest.raises(WorkflowNotFoundError):
        lab.ask(lambda client: client.result("endless", 5))
    # No worker knows this saga, but its message can be written and read.
    assert lab.prepare(longest, workflow_id="longest").start() is True


def test_broken_connections_are_told_in_our_own_words() -> None:
    """Nothing of redis-py or Dramatiq reaches a caller."""
    (port,) = free_ports(1)
    deployment = Deployment(
        engine="dramatiq",
        settings=settings_of({"connection_retries": "0"}),
        addresses={"broker": f"redis://127.0.0.1:{port}/0"},
        world_url="sqlite:///unused",
        sagas=("bakeoff.contract.sagas",),
    )

    async def ask() -> list[BaseException]:
        client = DramatiqClient(deployment)
        try:
            asked = (
                client.start(sagas.TRIP, "x", None),
                client.result("x", 0.5),
                client.signal("x", "approved", "s", None),
                client.describe("x"),
                client.list_sagas(),
            )
            answers = await asyncio.gather(*asked, return_exceptions=True)
            return [answer for answer in answers if isinstance(answer, BaseException)]
        finally:
            await client.close()

    assert [type(error) for error in asyncio.run(ask())] == [
        *(StartUnknownError, ResultTimeoutError),
        *(ServerAwayError, ServerAwayError, ServerAwayError),
    ]


def test_unknown_sagas_are_unknown_to_every_question(lab: Lab) -> None:
    """Nobody who asks about a saga that was never started has to wait."""
    for ask in (
        lambda client: client.result("nobody", 20),
        lambda client: client.describe("nobody"),
        lambda client: client.signal("nobody", "approved", "s", None),
    ):
        began = time.monotonic()
        with pytest.raises(WorkflowNotFoundError, match="nobody"):
            lab.ask(ask)
        assert time.monotonic() - began < 3
