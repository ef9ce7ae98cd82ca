"""Two transactions per call, keys, tombstones: what the judge rests on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bakeoff.errors import (
    BusinessError,
    InjectedFault,
    StepFault,
    TombstoneError,
    UnserialisableError,
    UsageError,
)
from bakeoff.world import Profile, World
from tests.unit.clerk import Clerk, make_world


def test_an_order_moves_stock_and_money(clerk: Clerk) -> None:
    """All four steps, then the totals."""
    for step in ("reserve_inventory", "charge_payment", "create_shipment", "send_confirmation"):
        clerk.attempt("2", step)

    totals = clerk.world.totals()

    assert (totals.on_hand, totals.reserved, totals.shipped) == (11, 0, 3)
    assert (totals.captured_minor, totals.confirmations) == (2 * 150 + 899, 1)


def test_compensations_bring_everything_back(clerk: Clerk) -> None:
    """The three undos in reverse leave nothing behind but the refund."""
    shipment = None
    for step in ("reserve_inventory", "charge_payment", "create_shipment"):
        shipment = clerk.attempt("2", step)
    clerk.attempt("2", "create_shipment", "compensation", own=shipment)
    clerk.attempt("2", "charge_payment", "compensation")
    clerk.attempt("2", "reserve_inventory", "compensation")

    totals = clerk.world.totals()

    assert (totals.on_hand, totals.reserved, totals.shipped) == (14, 0, 0)
    assert (totals.captured_minor, totals.refunded_minor) == (0, 1199)


def test_one_short_line_reserves_nothing_and_is_named(clerk: Clerk) -> None:
    """All or nothing."""
    clerk.world.set_stock({"pen": 1})

    with pytest.raises(BusinessError, match=r"insufficient stock for pen \(1 of 2\)"):
        clerk.attempt("2", "reserve_inventory")

    assert clerk.world.totals().reserved == 0
    assert clerk.kinds("2") == ["attempt reserve_inventory:action"]


def test_a_repeat_gets_the_stored_result_and_is_counted(clerk: Clerk) -> None:
    """The second attempt has no effect, and the ledger says that it would have duplicated."""
    first = clerk.attempt("1", "charge_payment")
    second = clerk.attempt("1", "charge_payment")

    records = clerk.world.ledger(workflow_id="order-1")

    assert second == first
    assert [(r.kind, r.ordinal, r.repeat) for r in records] == [
        ("attempt", 1, False),
        ("effect", 1, False),
        ("attempt", 2, True),
    ]
    assert clerk.world.totals().captured_minor == 150 + 899


def test_naive_participants_charge_twice(naive_clerk: Clerk) -> None:
    """Without the key the repeat is a second charge."""
    naive_clerk.attempt("1", "charge_payment")
    naive_clerk.attempt("1", "charge_payment")

    assert naive_clerk.world.totals().captured_minor == 2 * (150 + 899)


def test_a_late_action_meets_the_tombstone(clerk: Clerk) -> None:
    """A compensation that came first keeps the action from having any effect."""
    clerk.attempt("1", "charge_payment", "compensation")

    with pytest.raises(TombstoneError):
        clerk.attempt("1", "charge_payment")

    assert clerk.world.totals().captured_minor == 0
    assert clerk.kinds("1") == [
        "attempt charge_payment:compensation",
        "nothing charge_payment:compensation",
        "tombstone charge_payment:action",
        "attempt charge_payment:action",
    ]


def test_a_late_action_meets_the_undo_of_its_effect(clerk: Clerk) -> None:
    """Neither the effect nor its stored result is there any more for whoever comes again."""
    clerk.attempt("1", "charge_payment")
    clerk.attempt("1", "charge_payment", "compensation")

    with pytest.raises(TombstoneError):
        clerk.attempt("1", "charge_payment")
    assert clerk.attempt("1", "charge_payment", "compensation") is not None, "an undo answers again"
    assert clerk.world.totals().captured_minor == 0
    assert clerk.world.totals().refunded_minor == 150 + 899


def test_behaviours_follow_the_attempts_in_the_database(clerk: Clerk) -> None:
    """Fault, unknown outcome, then the stored result: whatever the engine counts."""
    clerk.world.set_fate("order-1", {"charge_payment:action": {"first": ["fault", "unknown"]}})

    with pytest.raises(InjectedFault):
        clerk.attempt("1", "charge_payment")
    clerk.attempts.clear()  # a redelivery starts the engine's count again
    with pytest.raises(InjectedFault, match="unknown"):
        clerk.attempt("1", "charge_payment")
    clerk.attempt("1", "charge_payment")

    assert [r.ordinal for r in clerk.world.ledger(workflow_id="order-1") if r.kind == "attempt"] == [1, 2, 3]
    assert clerk.world.totals().captured_minor == 150 + 899


@pytest.mark.parametrize(
    ("word", "error"), [("decline", BusinessError), ("unserialisable", UnserialisableError)]
)
def test_declines_leave_an_attempt_and_no_effect(clerk: Clerk, word: str, error: type[Exception]) -> None:
    """Transaction A outlives them."""
    clerk.world.set_fate("order-1", {"charge_payment:action": {"then": word}})

    with pytest.raises(error):
        clerk.attempt("1", "charge_payment")

    assert clerk.kinds("1") == ["attempt charge_payment:action"]
    assert clerk.world.totals().captured_minor == 0


def test_a_decline_after_the_pivot_is_a_fault(clerk: Clerk) -> None:
    """There is no way back, so it must be retried."""
    clerk.world.set_fate("order-1", {"send_confirmation:action": {"first": ["decline"]}})

    with pytest.raises(StepFault) as caught:
        clerk.attempt("1", "send_confirmation", saga="order-pivot")

    assert not isinstance(caught.value, BusinessError)


def test_an_unknown_order_is_declined(clerk: Clerk) -> None:
    """The services know nothing of it."""
    with pytest.raises(BusinessError, match="no order '99'"):
        clerk.attempt("99", "reserve_inventory")


def test_racing_threads_apply_an_effect_once(clerk: Clerk) -> None:
    """Twelve attempts of one charge at the same time."""
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: clerk.attempt("1", "charge_payment"), range(12)))

    assert len({str(result) for result in results}) == 1
    assert clerk.world.totals().captured_minor == 150 + 899
    kinds = [record.kind for record in clerk.world.ledger()]
    assert (kinds.count("attempt"), kinds.count("effect")) == (12, 1)


def test_racing_sagas_never_oversell(clerk: Clerk) -> None:
    """Six pens wanted, four there: exactly one of the baskets 1+2+3 loses."""
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(clerk.attempt, order, "reserve_inventory") for order in "123"]
        lost = sum(1 for future in futures if isinstance(future.exception(), BusinessError))

    totals = clerk.world.totals()
    assert lost == 1
    assert totals.on_hand + totals.reserved == 14
    assert totals.on_hand >= 0


def test_the_profile_is_a_function_of_seed_and_workflow_id() -> None:
    """Same seed, same fates; another seed, others; about the share that was asked for."""
    profile = Profile(seed=7, declines={"charge_payment": 100}, transient=50)
    ids = [f"order-{number}" for number in range(4000)]

    fates = [profile.fate(workflow_id, "charge_payment", 2.0) for workflow_id in ids]
    declined = sum(fate == {"then": "decline"} for fate in fates)

    assert fates == [profile.fate(workflow_id, "charge_payment", 2.0) for workflow_id in ids]
    assert fates != [
        Profile(seed=8, declines={"charge_payment": 100}).fate(i, "charge_payment", 2.0) for i in ids
    ]
    assert 320 <= declined <= 480


def test_a_world_is_made_once_and_opened_with_its_rules(tmp_path: Path) -> None:
    """Profile and participants are stored; a second ``create`` is refused."""
    profile = Profile(seed=3, slow=5)
    world = make_world(tmp_path, naive=True, profile=profile)
    url = f"sqlite:///{tmp_path / 'world.db'}"
    reopened = World.open(url)

    assert (reopened.profile, reopened.participants) == (profile, "naive")
    with pytest.raises(UsageError, match="already holds a ledger"):
        World.create(url)
    world.close()
    reopened.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "what?", "sqlite:////nowhere/at/all.db"])
def test_an_unusable_database_is_a_users_mistake(url: str) -> None:
    """Another product, no URL, no file."""
    with pytest.raises(UsageError):
        World.open(url)
