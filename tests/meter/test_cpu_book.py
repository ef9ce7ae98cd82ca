"""No CPU second of a process that ended is lost, and none counts twice."""

from __future__ import annotations

from itertools import count

import pytest

from bakeoff_bench.meter.cpu import CpuBook
from bakeoff_bench.meter.reading import Reading
from bakeoff_bench.meter.roles import Role

MASTER, CHILD, GRANDCHILD = 10, 20, 30
_PARENTS = {MASTER: 1, CHILD: MASTER, GRANDCHILD: CHILD}


def _used(*samples: dict[int, tuple[float, float]]) -> float:
    """CPU seconds after these samples, each ``{process id: (its own, of children that ended)}``."""
    book = CpuBook()
    for sample in samples:
        readings = [Reading(pid, 1.0, own, ended, 0, "pss", 1) for pid, (own, ended) in sample.items()]
        book.record(readings, dict.fromkeys(sample, Role.WORKERS), _PARENTS)
    return book.seconds()[Role.WORKERS]


def test_what_was_used_before_the_first_sample_is_not_counted() -> None:
    assert _used({MASTER: (5, 7)}, {MASTER: (6, 7)}) == 1


def test_what_begins_later_counts_from_its_beginning() -> None:
    assert _used({MASTER: (5, 0)}, {MASTER: (5, 0), CHILD: (3, 0)}) == 3


def test_a_child_that_nobody_saw_is_on_its_parents_account() -> None:
    assert _used({MASTER: (0, 0)}, {MASTER: (0, 4)}) == 4


def test_of_a_child_that_was_seen_only_the_rest_is_taken_from_there() -> None:
    """It was at 3 when last seen and ended at 3.4; one second lies before the window."""
    assert _used(
        {MASTER: (0, 0), CHILD: (1, 0)},
        {MASTER: (0, 0), CHILD: (3, 0)},
        {MASTER: (0, 3.4)},
    ) == pytest.approx(2.4)


def test_a_child_whose_end_nobody_asked_for_counts_as_far_as_it_was_seen() -> None:
    assert _used({MASTER: (0, 0)}, {MASTER: (1, 0), CHILD: (3, 0)}, {}) == 4


def test_a_grandchild_that_was_seen_is_not_on_two_accounts() -> None:
    """Child and grandchild end between two samples; the account of the master has both lives."""
    assert _used(
        {MASTER: (0, 0)},
        {MASTER: (0, 0), CHILD: (2, 0), GRANDCHILD: (3, 0)},
        {MASTER: (0, 5.5)},
    ) == pytest.approx(5.5)


def test_the_sum_never_falls() -> None:
    """A sample that was taken between a child's end and its entry in its parent's account."""
    book = CpuBook()
    used: list[float] = []
    for own, ended in [(0, 0), (0, 5), (0, 5)]:
        pids = {MASTER: (own, ended)} | ({CHILD: (4, 0)} if len(used) < 2 else {})
        readings = [Reading(pid, 1.0, *of, 0, "pss", 1) for pid, of in pids.items()]
        book.record(readings, dict.fromkeys(pids, Role.WORKERS), _PARENTS)
        used.append(book.seconds()[Role.WORKERS])

    assert used == sorted(used)


def test_a_number_that_is_given_anew_is_another_process() -> None:
    book, began = CpuBook(), count()
    for own in (5, 2):
        reading = Reading(CHILD, next(began), own, 0, 0, "pss", 1)
        book.record([reading], {CHILD: Role.WORKERS}, _PARENTS)

    assert book.seconds()[Role.WORKERS] == 2


def test_who_is_just_being_started_is_not_its_parents_for_ever() -> None:
    """Before it leads a session of its own, a new worker looks like a child of the client."""
    book = CpuBook()
    client = Reading(MASTER, 1.0, 5.0, 0.0, 0, "pss", 1)
    book.record([client], {MASTER: Role.CLIENT}, _PARENTS)
    for own_s, role in [(0.0, Role.CLIENT), (0.7, Role.WORKERS)]:
        worker = Reading(CHILD, 1.0, own_s, 0.0, 0, "pss", 1)
        book.record([client, worker], {MASTER: Role.CLIENT, CHILD: role}, _PARENTS)

    assert book.seconds() == {Role.CLIENT: 0, Role.WORKERS: 0.7}
