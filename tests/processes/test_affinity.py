"""CPUs are given out without overlap, and what the launcher starts stays on its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bakeoff.errors import UsageError
from bakeoff.processes import NO_AFFINITY, Launch, Launcher, Split, affinity, available_cpus, pinned, split
from tests.processes.scripts import SLEEPER, number_in, python

needs_two_cpus = pytest.mark.skipif(
    len(available_cpus() or ()) < 2, reason="with one CPU, or none to choose, every process is on the same"
)


def _nothing(line: str) -> None:
    raise AssertionError(line)


@pytest.fixture
def two_threads_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux numbers them on most machines: CPUs 0 and 4 are one core, 1 and 5 the next."""
    monkeypatch.setattr(affinity, "_threads_of_its_core", lambda cpu: f"{cpu % 4},{cpu % 4 + 4}")


@pytest.mark.usefixtures("two_threads_a_core")
def test_threads_of_one_core_stay_together() -> None:
    assert split(4, range(8), _nothing) == Split(frozenset({0, 4, 1, 5}), frozenset({2, 6, 3, 7}))


@pytest.mark.usefixtures("two_threads_a_core")
def test_a_core_that_is_shared_is_told() -> None:
    told: list[str] = []

    assert split(3, range(8), told.append) == Split(frozenset({0, 4, 1}), frozenset({5, 2, 6, 3, 7}))
    assert told == ["--cpus 3: generator and deployment share a core, each has one of its threads"]


def test_cpus_that_we_may_not_use_are_not_given_out() -> None:
    parts = split(1, [3, 7], lambda _: None)

    assert parts is not None
    assert parts.deployment | parts.generator == {3, 7}
    assert not parts.deployment & parts.generator


@pytest.mark.parametrize(
    ("count", "available", "reason"),
    [
        (0, [0, 1], "at least one CPU"),
        (-1, None, "at least one CPU"),
        (2, [0, 1], "of the 2 CPUs that we may use, none is left for the load generator; give at most 1"),
        (1, [0], "leave --cpus out"),
    ],
)
def test_nonsense_is_refused(count: int, available: list[int] | None, reason: str) -> None:
    with pytest.raises(UsageError, match=f"--cpus {count}: .*{reason}"):
        split(count, available, _nothing)


def test_without_affinity_there_is_a_reason_instead_of_a_split() -> None:
    told: list[str] = []

    assert split(1, None, told.append) is None
    assert told == [NO_AFFINITY]


@needs_two_cpus
def test_what_the_launcher_starts_and_what_that_starts_runs_on_its_cpus_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    own = available_cpus()
    cpu = max(own or ())
    script = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}, sys.argv[1]]);"
        "time.sleep(600)"
    )
    companion = Launch(argv=python(SLEEPER, tmp_path / "companion"))
    with Launcher(tmp_path / "logs", {cpu}) as launcher:
        child = launcher.start(
            "child", Launch(argv=python(script, tmp_path / "pid"), companions=(companion,))
        )
        (beside,) = child.companions
        while not (grandchild := number_in(tmp_path / "pid")):
            assert child.alive, child.log_tail()

        for pid in (child.pid, beside.pid, grandchild):
            assert psutil.Process(pid).cpu_affinity() == [cpu]
        assert frozenset(psutil.Process(launcher.watchdog.pid).cpu_affinity()) == own
    assert available_cpus() == own


@needs_two_cpus
def test_a_program_that_counts_its_cpus_first_of_all_counts_its_own() -> None:
    with pinned({max(available_cpus() or ())}):
        counted = subprocess.run(
            [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"],
            capture_output=True,
            check=True,
        )

    assert counted.stdout == b"1\n"


@needs_two_cpus
@pytest.mark.parametrize("cpus", [set(), {1023}, {0, 1023}])
def test_cpus_that_are_not_there_are_refused_and_change_nothing(cpus: set[int]) -> None:
    own = available_cpus()

    with pytest.raises(UsageError, match=r"no process can be kept on CPUs \["), pinned(cpus):
        pytest.fail("it went on")

    assert available_cpus() == own
