"""What an engine writes down about a saga, and what a seller of the engine would bill for it."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bakeoff.engine import EngineClient, HasBilling, HasEventHistory
from bakeoff.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaHistory:
    """One saga.

    Attributes:
        events: In the engine's event history.
        size_bytes: Of all of them; ``None`` if the engine does not tell.
        billable_actions: ``{the seller's name: how many}``; ``None`` if nobody sells it by the action.
    """

    workflow_id: str
    events: int
    size_bytes: int | None
    billable_actions: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCost:
    """Several sagas.

    Attributes:
        sagas: One entry each; completed and compensated ones cost differently.
        note: By whose rules billable actions are counted, and what is missing; empty if there are none.
    """

    sagas: tuple[SagaHistory, ...]
    note: str

    @property
    def events_per_saga(self) -> float | None:
        """Mean; ``None`` of no sagas."""
        return _mean([one.events for one in self.sagas])

    @property
    def bytes_per_saga(self) -> float | None:
        """Mean; ``None`` of no sagas, or if the engine does not tell."""
        sizes = [one.size_bytes for one in self.sagas if one.size_bytes is not None]
        return _mean(sizes) if len(sizes) == len(self.sagas) else None

    @property
    def billable_actions_per_saga(self) -> dict[str, float] | None:
        """``{the seller's name: mean}``; ``None`` of no sagas, or if nobody sells it by the action."""
        counted: Counter[str] = Counter()
        for one in self.sagas:
            if one.billable_actions is None:
                return None
            counted.update(one.billable_actions)
        return {name: number / len(self.sagas) for name, number in counted.items()} if self.sagas else None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, with every saga."""
        return {
            "sagas": [asdict(one) for one in self.sagas],
            "events_per_saga": self.events_per_saga,
            "bytes_per_saga": self.bytes_per_saga,
            "billable_actions_per_saga": self.billable_actions_per_saga,
            "note": self.note,
        }


async def history_cost(
    client: EngineClient, workflow_ids: Iterable[str], *, at_once: int = 8
) -> HistoryCost | None:
    """Ask the engine for its event history of these settled sagas.

    Not for use while something is measured: every saga costs the server a request or two.

    Returns:
        ``None`` if the engine keeps no event history.

    Raises:
        WorkflowNotFoundError: For a saga that it does not know.
    """
    if not isinstance(client, HasEventHistory):
        return None
    keeper, places = client, asyncio.Semaphore(at_once)
    billing = client if isinstance(client, HasBilling) else None

    async def look(workflow_id: str) -> SagaHistory:
        async with places:
            events = await keeper.event_history(workflow_id)
            billed = await billing.billable_actions(workflow_id) if billing else None
        sizes = [event.size_bytes for event in events if event.size_bytes is not None]
        told = sum(sizes) if len(sizes) == len(events) else None
        return SagaHistory(
            workflow_id=workflow_id, events=len(events), size_bytes=told, billable_actions=billed
        )

    try:
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(look(workflow_id)) for workflow_id in workflow_ids]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return HistoryCost(
        sagas=tuple(one.result() for one in looks), note=billing.billing_note if billing else ""
    )


def cost_per_1000(actions_per_saga: float, price_per_million: float) -> float:
    """Price of a thousand sagas, in the currency of the user's own price of a million billable actions.

    Raises:
        UsageError: If the price is no finite number of at least zero.
    """
    if not (math.isfinite(price_per_million) and price_per_million >= 0):
        raise UsageError(f"--price-per-million-actions {price_per_million:g}: give a price of zero or more")
    return actions_per_saga * 1000 * price_per_million / 1_000_000


def _mean(numbers: list[int]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
