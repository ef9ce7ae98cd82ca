"""Options of the contract suite. Loaded by every pytest of the environment, so it imports nothing heavy.

``pytest --engine=NAME`` runs the contract suite on that engine and nothing else; with a path it runs what
stands there. Everything else about the suite is in ``bakeoff.contract.conftest``.

``--engine``, ``--set`` and ``--config`` are names that a project may use for its own tests, too. So ours
are added when all others are there; where one of them is taken, we add none and touch nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

#: Each option with the argument of ``addoption``; every one is about engines under contract.
_OPTIONS: dict[str, dict[str, Any]] = {
    "--engine": {
        "action": "append",
        "metavar": "NAME",
        "help": "run the contract suite on this engine (repeatable; 'all' = every installed one)",
    },
    "--engine-plugin": {
        "action": "append",
        "default": [],
        "metavar": "NAME=MODULE",
        "help": "an engine plug-in that no entry point names (repeatable)",
    },
    "--set": {
        "action": "append",
        "default": [],
        "metavar": "ENGINE.NAME=VALUE",
        "help": "change a declared setting of an engine (repeatable)",
    },
    "--set-raw": {
        "action": "append",
        "default": [],
        "metavar": "ENGINE.KEY=VALUE",
        "help": "pass anything else to an engine, unchecked (repeatable)",
    },
    "--broker": {"metavar": "KIND", "help": "valkey or rabbitmq, for engines that have a choice"},
    "--bridge": {
        "metavar": "KIND",
        "help": "between steps and services: in-process (default) or nats; the statuses must be the same",
    },
    "--config": {
        "metavar": "CLASS",
        "help": "configuration class of the engines: ci (of the contract suite), recommended or default",
    },
    "--contract-json": {"metavar": "FILE", "help": "write the result of the contract suite"},
    "--contract-reviewed": {
        "metavar": "FILE",
        "help": "reviewed matrix to compare with (default: the one that bakeoff ships)",
    },
    "--contract-store": {
        "action": "store_true",
        "help": "write this run's statuses into the reviewed matrix instead of comparing",
    },
    "--contract-patience": {
        "type": float,
        "default": 30.0,
        "metavar": "SECONDS",
        "help": "within which whatever must happen happens (default 30)",
    },
}

#: Whoever gives one of these means the contract suite.
_ASKING = ("--engine", "--broker", "--bridge", "--contract-json", "--contract-reviewed", "--contract-store")


#: Options of ours that somebody else has here.
TAKEN = pytest.StashKey[list[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser
) -> Generator[None, object, object]:
    """Add the options of the contract suite, after plug-ins and conftest.py have added theirs."""
    loaded = yield
    early_config.stash[TAKEN] = [name for name in _OPTIONS if _is_known(parser, name)]
    if not early_config.stash[TAKEN]:
        group = parser.getgroup("bakeoff", "contract suite of orchestration engines")
        for name, arguments in _OPTIONS.items():
            group.addoption(name, **arguments)
    return loaded


def _is_known(parser: pytest.Parser, option: str) -> bool:
    given = f"{option}=x"
    try:
        return given not in parser.parse_known_and_unknown_args([given])[1]
    except pytest.UsageError:
        return True  # it takes another value, or none


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say it where the options are missing, because nobody would find out why."""
    taken = config.stash.get(TAKEN, [])
    return (
        f"bakeoff: its options are left out, this project has its own {', '.join(taken)}" if taken else None
    )


def pytest_configure(config: pytest.Config) -> None:
    """Know the markers; with ``--engine`` and no path, collect the contract suite alone.

    What the suite cannot do is refused here: nobody should learn it after minutes of tests.
    """
    config.addinivalue_line(
        "markers", "requires(*needs): capabilities (or Survives) that an engine must declare for this test"
    )
    config.addinivalue_line("markers", "late: runs after the others, to see what did not happen meanwhile")
    config.addinivalue_line("markers", "disruptive: kills processes of the engine, so it runs last")
    config.addinivalue_line(
        "markers", "recovery: kills processes while sagas stand at named points; last of all"
    )
    config.addinivalue_line("markers", "early(saga, fates, with_module): a saga started before the test")
    if config.stash.get(TAKEN, []) or not any(config.getoption(name) for name in _ASKING):
        return
    from bakeoff.errors import UsageError

    try:
        from bakeoff.contract.session import prepare

        prepare(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    if config.getoption("--engine") and config.args_source is not config.ArgsSource.ARGS:
        config.args = [str(Path(__file__).with_name("contract"))]
