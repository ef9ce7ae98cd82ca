"""What is known of a saga after a kill: its records, what the client saw, and the engine's word."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bakeoff.checkers import Evidence, Planned, Shape, read_books
from bakeoff.engine import Capability, Support
from bakeoff.history import History, read_history
from bakeoff.patience import ANSWER_WITHIN_S, in_time
from bakeoff.saga import Saga
from bakeoff.stack import Stack
from bakeoff_bench.crash.road import Road, choose_end

#: Seconds that the engine gets to tell an outcome once the ledger has been watched long enough: of sagas that
#: are settled there, and of others.
_WORD_WITHIN_S, _LAST_WORD_S = 15.0, 1.0


async def evidence_of(
    stack: Stack,
    saga: Saga,
    history: History,
    history_file: Path,
    planned: Planned,
    road: Road | None,
    *,
    settled: bool,
) -> Evidence:
    """Everything about one saga: its records, its operations, the engine's word.

    An engine may come to the end of a saga later than the ledger shows it: where a message is lost that
    told of the last step, it gets the time to try again.
    """
    within_s = _WORD_WITHIN_S if settled else _LAST_WORD_S
    world, workflow_id = stack.world, planned.workflow_id
    claim = stack.info.claims[Capability.OUTCOME]
    silent = claim.reason if claim.support is Support.ABSENT else ""
    if not silent:
        # What the engine answers, an error included, is in the history.
        with contextlib.suppress(Exception), history.operation("result", workflow_id) as answer:
            async with in_time("result()", within_s + ANSWER_WITHIN_S):
                answer.value = (await stack.client.result(workflow_id, within_s)).to_json()
    ledger = world.ledger(workflow_id=workflow_id)
    end = choose_end(saga, road, planned, ledger, bridged=bool(stack.services))
    return Evidence(
        engine=stack.engine.name,
        shape=Shape.of(saga),
        planned={workflow_id: end},
        ledger=ledger,
        operations=[one for one in read_history(history_file) if one.workflow_id == workflow_id],
        books=read_books(world.engine, {}),
        silent=silent,
        engine_faults=True,
    )
