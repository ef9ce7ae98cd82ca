"""Every kind of point is reached, struck and judged on a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.nemesis import ChildKill, ServerKill
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.record import Kill
from tests.crash.kills import Shot, make_kills
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_CLEAN, _RETRIED = KillOutcome.CLEAN, KillOutcome.RETRIED
_DUPLICATE_TRIED = KillOutcome.WOULD_HAVE_DUPLICATED
_QUICK = {"heartbeat_timeout_s": "1"}


def _landed(kill: Kill) -> None:
    assert kill.outcome is not KillOutcome.VOID, kill.detail
    assert kill.ended
    assert kill.in_flight == 3
    assert kill.struck_pid is not None
    assert kill.landed_at is not None


def test_moments_at_which_nobody_stands(tmp_path: Path) -> None:
    """The harness sends the signal after the kill, and starts a saga again whose starter died."""
    points = [
        Shot("approval.while_waiting", "order-approval"),
        Shot("cooling_off.while_waiting", "order-delayed"),
        Shot("refund_payment.while_retrying"),
        Shot("during_start"),
    ]
    kills = make_kills(tmp_path, "dramatiq", points, overrides=_QUICK)

    for kill in kills:
        _landed(kill)
        assert kill.outcome in (_CLEAN, _RETRIED, _DUPLICATE_TRIED), kill.detail
        assert kill.recovery_s is not None
    waited, _, retried, started = kills
    assert len(waited.ended) >= 2
    assert retried.struck_pid in retried.ended
    assert started.ended == (started.struck_pid,)
    assert "after it began to start the saga" in started.seen


@thorough
def test_windows_of_dramatiq(tmp_path: Path) -> None:
    """The successor runs twice, or the failed message comes again and asks for nothing more."""
    published, failed, elsewhere = make_kills(
        tmp_path,
        "dramatiq",
        [
            Shot("charge_payment.next_published"),
            Shot("charge_payment.failure_published"),
            Shot("during_start", fault=ServerKill()),
        ],
        overrides=_QUICK,
    )

    _landed(published)
    assert published.outcome is _DUPLICATE_TRIED
    assert published.extra_attempts["charge_payment"] == 1
    assert published.extra_attempts["create_shipment"] >= 1
    _landed(failed)
    # An undo that had begun already comes again as well; the declined step has none of its own.
    # Its errback may have been sent by the parent by then, which saw the failure as well.
    assert failed.outcome in (_CLEAN, _RETRIED, _DUPLICATE_TRIED), failed.detail
    assert "refund_payment" not in failed.extra_attempts
    assert (elsewhere.outcome, elsewhere.ended) == (KillOutcome.NOT_SUPPORTED, ())


@thorough
def test_windows_of_celery(tmp_path: Path) -> None:
    """The message of a pool child that was killed comes again, also when its saga is over by then."""
    kills = make_kills(
        tmp_path,
        "celery",
        [
            Shot("charge_payment.next_published", fault=ChildKill()),
            Shot("charge_payment.failure_stored", fault=ChildKill()),
            Shot("refund_payment.next_published", fault=ChildKill()),
        ],
    )

    for kill in kills:
        _landed(kill)
        assert kill.ended == (kill.struck_pid,)
        assert kill.recovery_s is not None
    published, failed, undone = kills
    assert published.outcome is _DUPLICATE_TRIED, published.detail
    assert published.extra_attempts["charge_payment"] == 1
    assert undone.outcome is _DUPLICATE_TRIED, undone.detail
    assert undone.extra_attempts["refund_payment"] == 1
    # Its errback may have been sent by the parent by then, which saw the failure as well.
    assert failed.outcome in (_CLEAN, _RETRIED, _DUPLICATE_TRIED), failed.detail


@thorough
def test_the_window_of_temporal(tmp_path: Path) -> None:
    """Nothing is repeated: the result is in the history, and only the workflow task is given out again."""
    (kill,) = make_kills(tmp_path, "temporal", [Shot("refund_payment.activity_completed")])

    _landed(kill)
    assert kill.outcome is _CLEAN, kill.detail
    assert not kill.extra_attempts
    assert kill.recovery_s is not None


def test_without_an_engine_a_waiting_saga_is_gone(tmp_path: Path) -> None:
    """A start that is repeated knows nothing of the first one; those that ran beside it are gone as well."""
    waited, started = make_kills(
        tmp_path, "inline", [Shot("approval.while_waiting", "order-approval"), Shot("during_start")]
    )

    for kill in (waited, started):
        _landed(kill)
    assert waited.outcome is KillOutcome.LOST
    assert "it still holds reserve_inventory" in waited.detail
    assert started.outcome is KillOutcome.LOST
    assert "in flight beside it: the engine knows nothing of it" in started.detail


def test_services_without_keys_charge_twice(tmp_path: Path) -> None:
    """What only would have happened twice does, and the next kill is not blamed for it."""
    doubled, compensated, well = make_kills(
        tmp_path,
        "dramatiq",
        [
            Shot("charge_payment.after_effect"),
            Shot("refund_payment.after_effect"),
            Shot("charge_payment.before_effect"),
        ],
        overrides=_QUICK,
        participants="naive",
    )

    assert doubled.outcome is KillOutcome.DUPLICATED
    assert "charge_payment (action) took effect 2 times" in doubled.detail
    assert "charged 2 times" in doubled.detail
    assert compensated.outcome is KillOutcome.DUPLICATED
    assert "charge_payment (compensation) took effect 2 times" in compensated.detail
    assert well.outcome is _RETRIED, well.detail
