"""A process that reaches an armed point stands there, is seen, and goes on when it is released."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from bakeoff.errors import BusinessError
from bakeoff.saga import Direction
from bakeoff.world import Aim, Point, Reached, World, arm, reached, release
from bakeoff.world.database import writing
from tests.processes.traces import until
from tests.unit.clerk import Clerk, make_world

ID = "order-1"


def _stands(clerk: Clerk, after: int = 0) -> Reached:
    until(lambda: bool(reached(clerk.world.engine, after=after)), "somebody stands at the point")
    (one,) = reached(clerk.world.engine, after=after)
    return one


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[Clerk]:
    world = make_world(tmp_path, faults=True)
    yield Clerk(world)
    world.close()


@pytest.mark.parametrize(
    ("point", "recorded"),
    [
        (Point.BETWEEN_STEPS, []),
        (Point.BEFORE_EFFECT, ["attempt reserve_inventory:action"]),
        (Point.AFTER_EFFECT, ["attempt reserve_inventory:action", "effect reserve_inventory:action"]),
    ],
)
def test_what_is_recorded_at_a_point(clerk: Clerk, point: Point, recorded: list[str]) -> None:
    """The ledger can be read and written meanwhile: no point lies inside a transaction."""
    aim = Aim("reserve_inventory", "action", point)
    arm(clerk.world.engine, ID, aim)
    with ThreadPoolExecutor() as pool:
        attempt: Future[object] = pool.submit(clerk.attempt, "1", "reserve_inventory")
        standing = _stands(clerk)

        assert (standing.workflow_id, standing.aim, standing.pid) == (ID, aim, os.getpid())
        assert clerk.kinds("1") == recorded
        clerk.attempt("2", "reserve_inventory")
        assert not attempt.done()
        release(clerk.world.engine, standing.id)
        attempt.result(10)

    assert len(clerk.kinds("1")) == 2


def test_only_so_many_stop_as_were_armed(clerk: Clerk) -> None:
    """The attempt that follows a kill passes the point."""
    arm(clerk.world.engine, ID, Aim("reserve_inventory", "action", Point.BEFORE_EFFECT))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(clerk.attempt, "1", "reserve_inventory")
        standing = _stands(clerk)
        clerk.attempt("1", "reserve_inventory")
        release(clerk.world.engine, standing.id)
        first.result(10)

    assert len(reached(clerk.world.engine)) == 1


def test_a_compensation_has_points_of_its_own(clerk: Clerk) -> None:
    arm(clerk.world.engine, ID, Aim("reserve_inventory", "compensation", Point.AFTER_EFFECT))
    clerk.attempt("1", "reserve_inventory")
    assert reached(clerk.world.engine) == []
    with ThreadPoolExecutor() as pool:
        undo = pool.submit(clerk.attempt, "1", "reserve_inventory", "compensation")
        release(clerk.world.engine, _stands(clerk).id)
        undo.result(10)


def test_declines_do_not_reach_the_effect(clerk: Clerk) -> None:
    clerk.world.set_fate(ID, {"reserve_inventory:action": {"then": "decline"}})
    arm(clerk.world.engine, ID, Aim("reserve_inventory", "action", Point.BEFORE_EFFECT))

    with pytest.raises(BusinessError):
        clerk.attempt("1", "reserve_inventory")

    assert reached(clerk.world.engine) == []


def _transactions(world: World) -> list[object]:
    begun: list[object] = []
    event.listen(world.engine, "begin", begun.append)
    return begun


@pytest.mark.parametrize("direction", ["action", "compensation"])
def test_a_point_that_nobody_armed_costs_no_transaction(tmp_path: Path, direction: Direction) -> None:
    """The contract suite runs with faults, and every attempt has three points."""
    counted = []
    for faults in (False, True):
        (folder := tmp_path / str(faults)).mkdir()
        clerk = Clerk(make_world(folder, faults=faults))
        begun = _transactions(clerk.world)
        clerk.attempt("1", "reserve_inventory", direction)
        counted.append(len(begun))
        clerk.world.close()

    assert counted[0] == counted[1]


def test_a_window_is_reached_by_the_engine_itself(clerk: Clerk) -> None:
    aim = Aim("reserve_inventory", "action", "next_published")
    arm(clerk.world.engine, ID, aim)
    clerk.attempt("1", "reserve_inventory")
    clerk.participant.reach("order-2", "reserve_inventory", "action", "next_published")
    clerk.participant.reach(ID, "reserve_inventory", "action", "failure_stored")
    assert reached(clerk.world.engine) == []
    with ThreadPoolExecutor() as pool:
        window = pool.submit(clerk.participant.reach, ID, "reserve_inventory", "action", "next_published")
        standing = _stands(clerk)
        assert (standing.aim, window.done()) == (aim, False)
        release(clerk.world.engine, standing.id)
        window.result(10)


def test_a_window_that_nobody_armed_costs_no_write(clerk: Clerk) -> None:
    with writing(clerk.world.engine), ThreadPoolExecutor() as pool:  # SQLite lets nobody else write now
        pool.submit(clerk.participant.reach, ID, "reserve_inventory", "action", "any").result(5)


def test_a_window_of_a_world_without_faults_is_passed_without_a_look(tmp_path: Path) -> None:
    clerk = Clerk(make_world(tmp_path))
    begun = _transactions(clerk.world)

    clerk.participant.reach(ID, "reserve_inventory", "action", "any")

    assert begun == []
    clerk.world.close()


def test_a_world_without_faults_does_not_look(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    arm(world.engine, ID, Aim("reserve_inventory", "action", Point.BEFORE_EFFECT))

    Clerk(world).attempt("1", "reserve_inventory")

    assert reached(world.engine) == []
    world.close()
