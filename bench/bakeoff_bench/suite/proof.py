"""A benchmark of a wrong result is a lie: every saga of every round is judged, outside of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.checkers import Books, Evidence, Shape, read_books
from bakeoff.history import Operation
from bakeoff.outcome import Outcome, Status
from bakeoff.saga import Step
from bakeoff.world import Record
from bakeoff_bench.crash.outcome import HARMFUL, outcome_of
from bakeoff_bench.suite.site import Sent, Site


@dataclass(frozen=True, slots=True)
class Proof:
    """One saga that did what it had to do.

    Attributes:
        sent: The saga.
        records: Its part of the ledger.
        planned_attempts, attempts: As expected, and as recorded: more of them were repeats.
        settled_s: From the start to its last record, by the clocks of client and worker, which are one here.
    """

    sent: Sent
    records: Sequence[Record]
    planned_attempts: int
    attempts: int
    settled_s: float | None


def prove(site: Site, sagas: Sequence[Sent]) -> list[Proof]:
    """Judge sagas whose outcome was told, each by itself.

    Raises:
        AssertionError: If one of them did not come to what was expected of it, with its id and what was seen.
    """
    books = read_books(site.stack.world.engine, {})
    proofs = []
    for sent in sagas:
        assert sent.outcome is not None, f"{sent.workflow_id}: no outcome was asked for"
        records = site.stack.world.ledger(workflow_id=sent.workflow_id)
        if _recorded(sent):
            outcome, detail = outcome_of(_evidence(site, sent, sent.outcome, records, books))
            assert outcome not in HARMFUL, f"{sent.workflow_id}: {outcome}: {detail}"
        assert sent.outcome.status == sent.planned.expected.status, f"{sent.workflow_id}: {sent.outcome}"
        _check_results(sent, sent.outcome)
        made = sum(record.kind == "attempt" for record in records)
        settled_s = records[-1].at - sent.began_at if records else None
        proofs.append(Proof(sent, records, sum(sent.planned.expected.attempts.values()), made, settled_s))
    return proofs


def _evidence(site: Site, sent: Sent, word: Outcome, records: Sequence[Record], books: Books) -> Evidence:
    workflow_id = sent.workflow_id
    told = [("start", True), ("result", word.to_json())]
    return Evidence(
        engine=site.contestant.name,
        shape=Shape.of(sent.saga),
        planned={workflow_id: sent.planned},
        ledger=records,
        operations=[
            Operation(name=name, workflow_id=workflow_id, invoked_at_s=0.0, completion="ok", value=value)
            for name, value in told
        ],
        books=books,
        engine_faults=True,  # a repeat on a busy machine is counted, not condemned
    )


def _recorded(sent: Sent) -> bool:
    return any(step.recorded for step in sent.saga.steps())


def _check_results(sent: Sent, outcome: Outcome) -> None:
    """A completed saga has a result of every step; one that leaves no record proves itself by its place."""
    if outcome.status is not Status.COMPLETED:
        return
    before = 0
    for element in sent.saga.elements:
        members = [element] if isinstance(element, Step) else list(getattr(element, "steps", ()))
        for step in members:
            assert step.name in outcome.results, f"{sent.workflow_id}: no result of {step.name}"
            # A member of a group may see those of its siblings that were faster.
            seen, most = outcome.results[step.name], before + len(members) - 1
            assert step.recorded or before <= seen <= most, (
                f"{sent.workflow_id}: {step.name} saw {seen} results"
            )
        before += len(members) or 1  # a wait has one result, its payload
