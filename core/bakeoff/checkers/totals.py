"""What remains of a batch of sagas once it is judged: sums, for what only the whole run can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bakeoff.checkers.evidence import Evidence, Totals, remembered
from bakeoff.checkers.observed import Fate, observe
from bakeoff.world.ledger import Record

#: Steps of the order domain that take units from the shelf.
RESERVES = frozenset({"reserve_inventory", "reserve_east", "reserve_west"})
#: Fates of sagas whose orders hold no units that are not accounted for.
_HOLD_NOTHING = (Fate.COMPLETED, Fate.COMPENSATED, Fate.NOT_STARTED)


@remembered
def totals_of(evidence: Evidence) -> Totals:
    """The sums over this batch and those before it."""
    fates, sold, held = Counter[str](), Counter[str](), Counter[str]()
    refusal, doubt, records, baskets = "", "", evidence.by_saga(), evidence.books.baskets
    for workflow_id, one in observe(evidence).items():
        fates[str(one.fate)] += 1
        if one.fate is Fate.NOT_STARTED and not refusal:
            refusal = f"{workflow_id}: {one.reason}"
        if one.fate is Fate.START_UNKNOWN and not doubt:
            doubt = f"{workflow_id}: {one.reason}"
        basket = baskets.get(evidence.planned[workflow_id].order_id or "", {})
        if one.fate is Fate.COMPLETED:
            sold.update(basket)
        elif one.fate not in _HOLD_NOTHING and _holds_units(records[workflow_id]):
            held.update(basket)
    own = Totals(
        fates=fates,
        refusal=refusal,
        doubt=doubt,
        sold=sold,
        held=held,
        strangers=len(strangers_in(evidence)),
    )
    return evidence.before + own


def _holds_units(records: Sequence[Record]) -> bool:
    """Whether a reservation of the order domain is entered and not given back."""
    holds: dict[str, bool] = {}
    for record in records:
        if record.kind == "effect" and record.step in RESERVES:
            holds[record.step] = record.direction == "action"
    return any(holds.values())


def strangers_in(evidence: Evidence) -> list[str]:
    """Workflow ids in the ledger that nobody issued."""
    return sorted(evidence.by_saga().keys() - evidence.planned.keys())


def in_turn(batches: Iterable[Evidence]) -> Iterator[Evidence]:
    """The batches of one run, each with the sums over those before it."""
    before = Totals()
    for batch in batches:
        batch = replace(batch, before=before)
        yield batch
        before = totals_of(batch)
