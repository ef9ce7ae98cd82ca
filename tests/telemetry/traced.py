"""Sagas on a stack that exports its spans."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.cli.demo import fill
from bakeoff.contract.sagas import APPROVAL, PARALLEL
from bakeoff.engine import Describes, Signals
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan, running_stack
from tests.telemetry.telling import TELLING

if TYPE_CHECKING:
    from tests.telemetry.receiver import Receiver, Span

#: A saga whose payment succeeds at the third attempt, and one whose payment is declined.
RETRIED, DECLINED = "order-127", "order-124"
PLAIN = "order-123"
#: Sagas of the contract: three steps at once; a signal between two steps.
GROUPED, PARKED = "grouped", "parked"


def plan_for(
    engine: str,
    folder: Path,
    otlp: str | None,
    *,
    bridge: ChosenBridge = NO_BRIDGE,
    overrides: Mapping[str, str] | None = None,
) -> StackPlan:
    """One worker of class ``ci``."""
    plugin = Plugins().engine(engine)
    settings = resolve(engine, plugin.info().settings, ConfigClass.CI, overrides or {})
    return StackPlan(
        engine=plugin,
        settings=settings,
        folder=folder,
        sagas=("bakeoff.orders", "bakeoff.contract.sagas"),
        bridge=bridge,
        otlp=otlp,
    )


async def run_orders(
    plan: StackPlan, orders: Sequence[str], saga: str = "order", linger_s: float = 0.0
) -> None:
    """Start each, wait for its outcome, and take everything down, which exports the last spans.

    Args:
        linger_s: Seconds between: a saga may be over before whoever signalled it has heard that it was taken,
            and nothing but spans that leave at the end would tell.
    """
    async with running_stack(plan) as stack:
        fill(stack.world)
        for order in orders:
            await stack.client.start(stack.sagas[saga], order, order)
        for order in orders:
            await stack.client.result(order, 60)
        await asyncio.sleep(linger_s)


async def run_all(plan: StackPlan) -> None:
    """Two orders, a saga with a group, and one that is parked at its wait when its signal comes."""
    async with running_stack(plan) as stack:
        fill(stack.world)
        client = stack.client
        assert isinstance(client, Signals)
        assert isinstance(client, Describes)
        for order in (RETRIED, DECLINED):
            await client.start(stack.sagas["order"], order, order)
        await client.start(PARALLEL, GROUPED, {})
        await client.start(APPROVAL, PARKED, {})
        async with asyncio.timeout(30):
            while (await client.describe(PARKED)).awaiting != "approved":
                await asyncio.sleep(0.05)
        await client.signal(PARKED, "approved", "yes", None)
        for workflow_id in (RETRIED, DECLINED, GROUPED, PARKED):
            await client.result(workflow_id, 60)


async def told_by(engine: str, folder: Path, otlp: str | None) -> list[str]:
    """What the worker of a step knows of OpenTelemetry."""
    plan = replace(plan_for(engine, folder, otlp), sagas=("tests.telemetry.telling",))
    async with running_stack(plan) as stack:
        await stack.client.start(TELLING, "told", None)
        outcome = await stack.client.result("told", 60)
    return list(outcome.results["tell_modules"])


def tree(receiver: Receiver, workflow_id: str) -> list[tuple[str, str]]:
    """``(parent's name, name)`` of every span of a saga in the order of their beginnings."""
    spans = of_saga(receiver, workflow_id)
    names = {span.id: span.name for span in spans}
    return [(names.get(span.parent, span.parent), span.name) for span in spans]


def of_saga(receiver: Receiver, workflow_id: str) -> list[Span]:
    """Every span that says to be of this saga, or is in the same trace."""
    own = [span for span in receiver.spans if span.attributes.get("bakeoff.workflow_id") == workflow_id]
    traces = {span.trace for span in own}
    found = [span for span in receiver.spans if span.trace in traces]
    return sorted(found, key=lambda span: span.start_ns)
