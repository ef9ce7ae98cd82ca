"""Fixtures of the contract suite: ``lab`` is the engine under test."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.reporting import PARAMETER, ContractReporter, contestant_of, reason_against
from bakeoff.contract.sagas import LONG_NAPPING
from bakeoff.contract.session import contestants_of
from bakeoff.contract.stack_thread import StackThread
from bakeoff.contract.strike import repeated
from bakeoff.engine import Capability, Support
from bakeoff.pytest_plugin import TAKEN
from bakeoff.sharing import least_slots
from bakeoff.stack import Stack, StackPlan

_SAGAS = ("bakeoff.contract.sagas", "bakeoff.contract.generated")
#: Where engines are killed, workers have a slot for every saga that stands at a point.
_SAGAS_KILLED = ("bakeoff.contract.sagas", "bakeoff.contract.deployed_1")
_SLOTS = 18
_LAB = pytest.StashKey[Lab]()


@dataclass(frozen=True, slots=True)
class Running:
    """An engine that is up.

    Attributes:
        long_nap: A saga that has been sleeping since then, if the engine can sleep so long.
        early: ``{node id of a test: its saga}``, started before the test's turn: with the engine, or where
            the mark says ``with_module=True`` with the first such test of the module.
    """

    stack: Stack
    thread: StackThread
    long_nap: Started | None
    early: dict[str, Started] = field(default_factory=dict)


def pytest_configure(config: pytest.Config) -> None:
    """Report contract tests in their own words."""
    if taken := config.stash.get(TAKEN, []):
        raise pytest.UsageError(
            f"the contract suite cannot be asked for here: this project has its own {', '.join(taken)}; "
            "run it from another folder: pytest --engine=NAME"
        )
    if not config.pluginmanager.has_plugin("bakeoff-contract"):
        config.pluginmanager.register(ContractReporter(config), "bakeoff-contract")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Kill servers and workers last, and look late whether something early had late consequences.

    pytest itself keeps the tests of one engine together afterwards.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("recovery") is not None:
        return 3
    if item.get_closest_marker("disruptive") is not None:
        return 2
    return 1 if item.get_closest_marker("late") is not None else 0


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every contract test on every engine asked for."""
    if PARAMETER in metafunc.fixturenames:
        labels = list(contestants_of(metafunc.config))
        metafunc.parametrize(PARAMETER, labels, indirect=True, scope="session")


@pytest.fixture(scope="session")
def contestant(request: pytest.FixtureRequest) -> Contestant:
    """The engine under test; nothing of it runs yet."""
    return contestants_of(request.config)[request.param]


@pytest.fixture(scope="session")
def running(
    contestant: Contestant, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One running engine for all of its tests that do not kill it."""
    chosen = contestant
    mark = uuid.uuid4().hex[:6]
    thread = StackThread(
        StackPlan(
            engine=chosen.engine,
            settings=chosen.settings,
            folder=tmp_path_factory.mktemp(chosen.name),
            sagas=_SAGAS,
            bridge=chosen.bridge,
            prefix=f"bakeoff-contract-{mark}-",
            faults=True,
        )
    )
    try:
        stack = thread.start()
        wanted = any("long_nap" in getattr(item, "fixturenames", ()) for item in request.session.items)
        able = chosen.info.claims[Capability.LONG_TIMERS].support is not Support.ABSENT
        first = Lab(stack, thread, f"early-{mark}", request.config.getoption("--contract-patience"))
        up = Running(stack, thread, first.start(LONG_NAPPING) if wanted and able else None)
        _start_early(up, first, chosen, request.session.items)
        yield up
    finally:
        thread.stop()


@pytest.fixture(scope="session")
def killable(
    contestant: Contestant, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The engine once more, to be killed: points of its sagas may be armed, and there are slots for all."""
    mark = uuid.uuid4().hex[:6]
    thread = StackThread(
        StackPlan(
            engine=contestant.engine,
            settings=contestant.settings,
            folder=tmp_path_factory.mktemp(f"{contestant.name}-killable"),
            sagas=_SAGAS_KILLED,
            bridge=contestant.bridge,
            slots=least_slots(contestant.name, contestant.info.settings, contestant.settings, _SLOTS),
            prefix=f"bakeoff-contract-{mark}-",
            faults=True,
        )
    )
    try:
        stack = thread.start()
        yield Lab(stack, thread, f"killed-{mark}", request.config.getoption("--contract-patience"))
    finally:
        thread.stop()


@pytest.fixture
def lab(running: Running, request: pytest.FixtureRequest) -> Lab:
    """The engine under test, with fresh workflow ids."""
    name = request.node.originalname.removeprefix("test_")[:32].replace("_", "-")
    patience_s = request.config.getoption("--contract-patience")
    lab = Lab(running.stack, running.thread, f"{name}-{uuid.uuid4().hex[:6]}", patience_s)
    request.node.stash[_LAB] = lab
    return lab


@pytest.fixture
def long_nap(running: Running) -> Started:
    """A saga that has been sleeping since the engine came up: the other tests need not wait for it."""
    assert running.long_nap is not None
    return running.long_nap


@pytest.fixture
def early(running: Running, lab: Lab, request: pytest.FixtureRequest) -> Started:
    """The saga of the test's mark ``early``, started together with others.

    Tests that only wait and read the ledger would otherwise spend their time one after the other.
    """
    if request.node.nodeid not in running.early:
        chosen = contestant_of(request.node)
        assert chosen is not None
        mates = [item for item in request.session.items if item.path == request.node.path]
        _start_early(running, lab, chosen, mates, with_module=True)
    started = running.early[request.node.nodeid]
    lab.started[:] = [started]
    return started


def _start_early(
    running: Running, lab: Lab, chosen: Contestant, items: Sequence[pytest.Item], *, with_module: bool = False
) -> None:
    """Start the early sagas of those tests of this engine that it can take by its own declaration."""
    for item in items:
        mark = item.get_closest_marker("early")
        if (
            mark is not None
            and mark.kwargs.get("with_module", False) is with_module
            and contestant_of(item) is chosen
            and reason_against(item, chosen) is None
        ):
            one = running.early[item.nodeid] = lab.prepare(mark.args[0], fates=mark.args[1])
            repeated(lab, f"the start of {one.workflow_id}", one.start)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the ledger says of the sagas of a failed test."""
    report = yield
    lab = item.stash.get(_LAB, None)
    if report.failed and report.when == "call" and lab is not None:
        for started in lab.started[:5]:
            report.sections.append((f"ledger of {started.workflow_id}", str(started.trace())))
    return report
