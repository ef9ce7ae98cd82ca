"""What gets lost: spans, never sagas; and what does not."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.cli.demo import fill
from bakeoff.contract.sagas import APPROVAL
from bakeoff.engine import Signals
from bakeoff.outcome import Outcome, Status
from bakeoff.stack import running_stack
from bakeoff.telemetry.processes import tracing_of
from bakeoff.world import Participant
from tests.telemetry.receiver import receiving
from tests.telemetry.traced import DECLINED, PLAIN, of_saga, plan_for
from tests.tiers import more


async def outcomes(engine: str, folder: Path, otlp: str) -> list[Outcome]:
    """Of one saga that goes through and one that turns back."""
    async with running_stack(plan_for(engine, folder, otlp)) as stack:
        fill(stack.world)
        for order in (PLAIN, DECLINED):
            await stack.client.start(stack.sagas["order"], order, order)
        return [await stack.client.result(order, 60) for order in (PLAIN, DECLINED)]


@pytest.mark.parametrize("engine", [more("inline"), pytest.param("dramatiq", marks=pytest.mark.service)])
@pytest.mark.parametrize("listening", [False, True], ids=["refuses", "never-answers"])
def test_a_receiver_that_is_away_breaks_no_saga(engine: str, listening: bool, tmp_path: Path) -> None:
    """Neither one that nobody listens for, nor one that takes the connection and stays silent.

    That servers and workers come down in time is ``running_stack``'s promise, which it keeps or raises.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not listening:
            silent.close()
        found = asyncio.run(outcomes(engine, tmp_path, f"http://127.0.0.1:{port}"))

    assert [one.status for one in found] == [Status.COMPLETED, Status.COMPENSATED]


@pytest.mark.service
def test_a_worker_that_is_killed_loses_only_what_it_has_not_exported(tmp_path: Path) -> None:
    """What was exported before stays, and who goes on does so in the same trace."""

    async def run(receiver_url: str, exported: Callable[[str], Awaitable[None]]) -> None:
        plan = replace(plan_for("dramatiq", tmp_path, receiver_url), sagas=("bakeoff.contract.sagas",))
        async with running_stack(plan) as stack:
            assert stack.workers is not None
            assert isinstance(stack.client, Signals)
            await stack.client.start(APPROVAL, "approved", {})
            await exported("step book_flight")
            (leader,) = stack.workers.children
            os.killpg(leader.pid, signal.SIGKILL)
            await stack.client.signal("approved", "approved", "yes", None)
            assert (await stack.client.result("approved", 60)).status is Status.COMPLETED
            assert stack.workers.restarts == 1

    with receiving() as receiver:

        async def exported(name: str) -> None:
            async with asyncio.timeout(30):
                while not receiver.named(name):
                    await asyncio.sleep(0.02)

        asyncio.run(run(receiver.url, exported))

    saga, first, second = of_saga(receiver, "approved")
    assert [span.name for span in (saga, first, second)] == [
        "saga approval",
        "step book_flight",
        "step after",
    ]
    assert saga.trace == first.trace == second.trace
    assert first.parent == second.parent == saga.id
    assert {span.attributes["bakeoff.context"] for span in (first, second)} == {"carried"}


def test_an_attempt_whose_context_got_lost_finds_its_trace(tmp_path: Path) -> None:
    """Somebody attempts a step with the workflow id alone, as a message without headers would have it."""

    async def run(url: str) -> None:
        async with running_stack(plan_for("inline", tmp_path, url)) as stack:
            fill(stack.world)
            await stack.client.start(stack.sagas["order"], PLAIN, PLAIN)
            await stack.client.result(PLAIN, 60)
            lost = Participant.of(stack.deployment)
            await asyncio.to_thread(
                lost.perform,
                "order",
                "send_confirmation",
                "action",
                workflow_id=PLAIN,
                input=PLAIN,
                results={},
                attempt=2,
            )
            lost.close()

    with receiving() as receiver:
        asyncio.run(run(receiver.url))

    (saga,) = receiver.named("saga order")
    carried, derived = receiver.named("step send_confirmation")
    assert [one.attributes["bakeoff.context"] for one in (carried, derived)] == ["carried", "derived"]
    assert (carried.trace, carried.parent) == (derived.trace, derived.parent) == (saga.trace, saga.id)


def test_a_sampled_out_saga_is_sampled_out_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the context got lost: the trace's id decides, and that is known."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")

    async def run(url: str) -> None:
        async with running_stack(plan_for("inline", tmp_path, url)) as stack:
            fill(stack.world)
            for number in range(16):
                await stack.client.start(stack.sagas["order"], f"none-{number}", f"none-{number}")
            for number in range(16):
                await stack.client.result(f"none-{number}", 60)
            tracing = tracing_of(stack.deployment, "late")
            assert tracing is not None
            tracing.close()

    with receiving() as receiver:
        asyncio.run(run(receiver.url))

    sagas = {span.trace for span in receiver.named("saga order")}
    assert 0 < len(sagas) < 16
    assert {span.trace for span in receiver.spans} == sagas
