"""``pytest bench``: options and fixtures; what they are made of is in ``bakeoff_bench.suite``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bakeoff.contract.contestants import Contestant
from bakeoff.errors import UsageError
from bakeoff_bench.suite.bench import Bench, Repeated
from bakeoff_bench.suite.contest import LOAD, LOAD_ROUNDS, POINT, RATE, Asked, asked_of
from bakeoff_bench.suite.stage import Stage
from bakeoff_scenarios import LoadScenario

#: Parameter that carries the engine: ``--benchmark-group-by=param:contestant``.
_PARAMETER = "contestant"
_LOAD = "load"
_ASKED = pytest.StashKey[Asked]()
#: Seconds for all rounds of one benchmark; a recovery waits for a lease in each.
_WITHIN_S = 1800
#: Seconds around a round of a load: until the last saga is over, and until servers and workers are up.
_AROUND_LOAD_S = 300


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the benchmarks."""
    group = parser.getgroup("bakeoff-bench", "benchmarks of orchestration engines (pytest bench)")
    group.addoption("--rounds", type=int, metavar="N", help="measured rounds of every benchmark")
    group.addoption("--warm-up", type=int, metavar="N", help="rounds before them, which do not count")
    group.addoption(
        "--point", default=POINT, metavar="STEP.POINT", help=f"where recovery kills a worker ({POINT})"
    )
    group.addoption(
        "--scenario",
        action="append",
        metavar="NAME",
        help=f"named load of `load`; repeat for several, `bakeoff scenarios` lists them ({LOAD})",
    )
    group.addoption("--rate", type=float, default=RATE, metavar="PER_S", help=f"arrivals of it ({RATE:g})")
    group.addoption("--duration", type=float, metavar="SECONDS", help="of a round of it, instead of its own")
    group.addoption(
        "--own-leases",
        action="store_true",
        help="recovery with the leases of the configuration class, instead of short ones",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be measured."""
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("-n: benchmarks at the same time measure each other; leave it out")
    for name, least in (("--rounds", 1), ("--warm-up", 0)):
        number = config.getoption(name)
        if number is not None and number < least:
            raise pytest.UsageError(f"{name} {number}: give {least} or more")
    try:
        config.stash[_ASKED] = asked_of(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every benchmark of an engine on every engine asked for."""
    if _PARAMETER in metafunc.fixturenames:
        labels = list(metafunc.config.stash[_ASKED].contestants)
        metafunc.parametrize(_PARAMETER, labels, indirect=True, scope="session")
    if _LOAD in metafunc.fixturenames:
        metafunc.parametrize(_LOAD, metafunc.config.stash[_ASKED].loads, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Kill last, and be patient: pytest itself keeps the benchmarks of one engine together afterwards."""
    last = ("test_load", "test_recovery")
    items.sort(key=lambda item: item.path.stem in last and last.index(item.path.stem) + 1)
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_within_s(item)))


def _within_s(item: pytest.Item) -> float:
    """A round of a load lasts as long as its arrivals do."""
    if item.path.stem != "test_load":
        return _WITHIN_S
    asked = item.config.stash[_ASKED]
    longest_s = asked.duration_s or max(one.duration_s for one in asked.loads.values())
    return max(_WITHIN_S, (asked.rounds or LOAD_ROUNDS) * (longest_s + _AROUND_LOAD_S))


@pytest.fixture(scope="session")
def asked(request: pytest.FixtureRequest) -> Asked:
    """What the command line asked for."""
    return request.config.stash[_ASKED]


@pytest.fixture(scope="session")
def contestant(asked: Asked, request: pytest.FixtureRequest) -> Contestant:
    """The engine that is measured; nothing of it runs yet."""
    return asked.contestants[request.param]


@pytest.fixture
def load(asked: Asked, request: pytest.FixtureRequest) -> LoadScenario:
    """What arrives."""
    return asked.loads[request.param]


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Where one engine is up at a time."""
    stage = Stage()
    try:
        yield stage
    finally:
        stage.clear()


@pytest.fixture
def bench(benchmark: BenchmarkFixture, asked: Asked, contestant: Contestant, stage: Stage) -> Bench:
    """Times sagas on the engine, with the settings of its class."""
    return Bench(benchmark, asked, contestant, lambda: stage.site(contestant))


@pytest.fixture
def repeated(benchmark: BenchmarkFixture, asked: Asked) -> Repeated:
    """Times a part of the harness, without an engine."""
    return Repeated(benchmark, asked)


@pytest.fixture(scope="session")
def medians() -> dict[tuple[str, str], dict[int, float]]:
    """``{(benchmark, contestant): {size: median in seconds}}``, for what one more step costs."""
    return {}
