"""Fixtures of the contract suite: ``lab`` is the engine under test."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.reporting import PARAMETER, ContractReporter
from bakeoff.contract.session import contestants_of
from bakeoff.contract.stack_thread import StackThread
from bakeoff.stack import StackPlan

_SAGAS = ("bakeoff.contract.sagas",)
_LAB = pytest.StashKey[Lab]()


def pytest_configure(config: pytest.Config) -> None:
    """Report contract tests in their own words."""
    if not config.pluginmanager.has_plugin("bakeoff-contract"):
        config.pluginmanager.register(ContractReporter(config), "bakeoff-contract")


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every contract test on every engine asked for."""
    if PARAMETER in metafunc.fixturenames:
        labels = list(contestants_of(metafunc.config))
        metafunc.parametrize(PARAMETER, labels, indirect=True, scope="session")


@pytest.fixture(scope="session")
def contestant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One running engine for all of its tests."""
    chosen = contestants_of(request.config)[request.param]
    mark = uuid.uuid4().hex[:6]
    thread = StackThread(
        StackPlan(
            engine=chosen.engine,
            settings=chosen.settings,
            folder=tmp_path_factory.mktemp(chosen.name),
            sagas=_SAGAS,
            prefix=f"bakeoff-contract-{mark}-",
        )
    )
    stack = thread.start()
    try:
        yield Lab(stack, thread, mark, request.config.getoption("--contract-patience"))
    finally:
        thread.stop()


@pytest.fixture
def lab(contestant: Lab, request: pytest.FixtureRequest) -> Lab:
    """The engine under test, with fresh workflow ids."""
    name = request.node.originalname.removeprefix("test_")[:32].replace("_", "-")
    lab = Lab(contestant.stack, contestant.thread, f"{name}-{uuid.uuid4().hex[:6]}", contestant.patience_s)
    request.node.stash[_LAB] = lab
    return lab


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
