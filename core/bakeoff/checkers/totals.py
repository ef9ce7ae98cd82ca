"""What remains of a batch of sagas once it is judged: sums, for what only the whole run can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bakeoff.checkers.evidence import Evidence, Totals, remembered
from bakeoff.checkers.observed import Fate, observe

#: Fates of sagas whose orders hold no units that are not accounted for.
_HOLD_NOTHING = (Fate.COMPLETED, Fate.COMPENSATED, Fate.NOT_STARTED)


@remembered
def totals_of(evidence: Evidence) -> Totals:
    """The sums over this batch and those before it."""
    before, baskets = evidence.before, evidence.books.baskets
    fates, sold, held = Counter(before.fates), Counter(before.sold), Counter(before.held)
    refusal = before.refusal
    for workflow_id, one in observe(evidence).items():
        fates[str(one.fate)] += 1
        if one.fate is Fate.NOT_STARTED and not refusal:
            refusal = f"{workflow_id}: {one.reason}"
        basket = baskets.get(evidence.planned[workflow_id].order_id or "", {})
        if one.fate is Fate.COMPLETED:
            sold.update(basket)
        elif one.fate not in _HOLD_NOTHING:
            held.update(basket)
    strangers = before.strangers + len(strangers_in(evidence))
    return Totals(fates=fates, refusal=refusal, sold=sold, held=held, strangers=strangers)


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
