"""What Celery's worker does to a step from outside: limits that kill, children that die."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from bakeoff.settings import ConfigClass
from tests.engines import celery_sagas as sagas
from tests.engines.celery_stack import celery_lab
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def lab(request: pytest.FixtureRequest, shared: Shared) -> Lab:
    return shared.celery(f"limits-{request.param}", broker=request.param)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Early acknowledgement, and a lost child is a failed task."""
    with celery_lab(tmp_path_factory.mktemp("shipped"), config=ConfigClass.DEFAULT) as found:
        yield found


def test_hard_limit_counts_as_one_failed_attempt(lab: Lab, tmp_path: Path) -> None:
    """A step that ignores its soft limit is killed and tried again by its own policy."""
    settled = lab.settle(sagas.STUBBORN, str(tmp_path))

    assert settled.outcome.status is Status.COMPLETED
    assert settled.counts == {"first": 1, "odd": 2, "last": 1}


def test_hard_limit_does_not_double_the_undo_chain(lab: Lab, tmp_path: Path) -> None:
    """Celery reports a hard limit twice; one undo chain must come of it."""
    settled = lab.settle(sagas.STUBBORN_ONCE, str(tmp_path))

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.outcome.cause is not None
    assert (settled.outcome.cause.type, settled.outcome.cause.step) == ("TimeLimitExceeded", "odd")
    lab.never("a second undo chain", lambda: settled.started.trace().attempt_counts() != settled.counts, 1.0)
    assert settled.counts == {"first": 1, "odd": 1, "undo odd": 1, "undo first": 1}
    assert settled.story == ["first", "undo odd (nothing)", "undo first"]


def test_hard_limit_in_a_group_ends_the_group(lab: Lab, tmp_path: Path) -> None:
    """A killed member gives no answer, so the chord breaks; its siblings are undone all the same."""
    settled = lab.settle(sagas.STUBBORN_MEMBER, str(tmp_path))

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.outcome.cause is not None
    assert settled.outcome.cause.step == "odd"
    assert settled.counts == {
        "first": 1, "odd": 1, "even": 1, "undo odd": 1, "undo even": 1, "undo first": 1,
    }  # fmt: skip


def test_hard_limit_in_a_group_of_one_is_retried(lab: Lab, tmp_path: Path) -> None:
    """Celery makes a plain chain of it, with errbacks of its own."""
    settled = lab.settle(sagas.STUBBORN_LONE, str(tmp_path))

    assert settled.outcome.status is Status.COMPLETED
    assert settled.counts == {"first": 1, "odd": 2}


def test_killed_child_counts_as_a_failed_attempt(lab: Lab, tmp_path: Path) -> None:
    """Another child makes the next one: a step that kills its process ends by its own policy."""
    settled = lab.settle(sagas.DYING, str(tmp_path))

    assert settled.outcome.status is Status.COMPLETED
    attempts = settled.trace.attempts("odd")
    assert [record.attempt for record in attempts] == [1, 2]
    assert attempts[0].pid != attempts[1].pid


def test_decline_of_a_redelivered_step_is_undone_too(lab: Lab, tmp_path: Path) -> None:
    """Nobody knows what the lost attempt did, so the decline is not a pure one."""
    settled = lab.settle(sagas.DYING_THEN_DECLINED, str(tmp_path))

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.counts == {"first": 1, "odd": 2, "undo odd": 1, "undo first": 1}


def test_killed_child_is_one_failed_attempt_as_celery_ships(shipped: Lab, tmp_path: Path) -> None:
    """Acknowledged before it ran, the message is gone; the errback goes on by the step's policy."""
    settled = shipped.settle(sagas.DYING, str(tmp_path))

    assert settled.outcome.status is Status.COMPLETED
    assert [record.attempt for record in settled.trace.attempts("odd")] == [1, 2]
