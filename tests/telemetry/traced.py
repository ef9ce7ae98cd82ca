"""Sagas on a stack that exports its spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.cli.demo import fill
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan, running_stack
from tests.telemetry.receiver import Receiver, Span

#: A saga whose payment succeeds at the third attempt, and one whose payment is declined.
RETRIED, DECLINED = "order-127", "order-124"
PLAIN = "order-123"


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
    return StackPlan(engine=plugin, settings=settings, folder=folder, bridge=bridge, otlp=otlp)


async def run_orders(plan: StackPlan, orders: Sequence[str], saga: str = "order") -> None:
    """Start each, wait for its outcome, and take everything down, which exports the last spans."""
    async with running_stack(plan) as stack:
        fill(stack.world)
        for order in orders:
            await stack.client.start(stack.sagas[saga], order, order)
        for order in orders:
            await stack.client.result(order, 60)


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
