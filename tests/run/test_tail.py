"""Following a ledger: settled is read from its records, in whatever order a database shows them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bakeoff.checkers import Planned
from bakeoff.expectation import Facts, expect
from bakeoff.orders import ORDER
from bakeoff.world import Record, World
from bakeoff_bench.run import tail
from bakeoff_bench.run.tail import LedgerTail
from tests.run.evidence_builder import completed, declined, ledger_of


def _planned(workflow_id: str = "order-0") -> Planned:
    return Planned(
        workflow_id=workflow_id,
        input="0",
        expected=expect(ORDER, {}),
        alternatives=(expect(ORDER, {}, Facts(declines=frozenset({"charge_payment"}))),),
    )


def _tail(tmp_path: Path) -> LedgerTail:
    world = World.create(f"sqlite:///{tmp_path / f'world-{len(list(tmp_path.iterdir()))}.db'}")
    world.close()
    return LedgerTail(world)


def _reached(found: LedgerTail, records: list[Record]) -> object:
    found.watch(_planned())
    found._take(records)
    end = asyncio.run(found.settled("order-0", 0.01))
    return end.status if end is not None else None


def test_saga_is_settled_with_the_last_record_of_its_plan(tmp_path: Path) -> None:
    records = ledger_of([completed("order-0")])

    assert _reached(_tail(tmp_path), records[:-1]) is None
    assert _reached(_tail(tmp_path), records) == "completed"


def test_alternative_end_settles_as_well(tmp_path: Path) -> None:
    records = ledger_of([declined("order-0")])

    assert _reached(_tail(tmp_path), records[:-1]) is None
    assert _reached(_tail(tmp_path), records) == "compensated"


def test_records_of_others_and_of_nobody_are_ignored(tmp_path: Path) -> None:
    assert _reached(_tail(tmp_path), ledger_of([completed("order-1")])) is None


def test_smaller_number_that_is_committed_later_is_still_seen(tmp_path: Path) -> None:
    """PostgreSQL gives numbers before the commit; the tail looks back and takes no record twice."""
    found = _tail(tmp_path)
    found._overlap = tail._OVERLAP
    records = ledger_of([completed("order-0")])
    found.watch(_planned())
    late = records[3]
    found._take([record for record in records if record is not late])
    found._take(records)
    end = asyncio.run(found.settled("order-0", 0.01))

    assert end is not None
    assert len(found._watched["order-0"].records) == len(records)
