"""How a whole ``pytest`` runs: four files at a time, without what only a thorough run takes."""

from __future__ import annotations

import os
from typing import Any

import pytest

_AT_A_TIME = 4
#: Set in the processes among which xdist spreads the tests, and so in everything that a test starts.
_WORKER = "PYTEST_XDIST_WORKER"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Spread a whole ``pytest`` over processes, unless its user has said how (``-n``) or what to run.

    The contract suite of one engine stays in one process: bringing the engine up three times costs more.
    xdist calls this in its own workers, too; spreading those again would never end.
    """
    if hasattr(config, "workerinput") or _WORKER in os.environ:
        return
    if not _is_whole(config) or not config.pluginmanager.has_plugin("xdist"):
        return
    if config.option.numprocesses is None and not config.option.usepdb and not config.option.collectonly:
        config.option.numprocesses = _AT_A_TIME
        config.option.dist = "loadfile"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``tests/tiers.py`` says, unless it was asked for; pytest counts it as deselected."""
    if not _is_whole(config) or config.option.markexpr or config.option.keyword:
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_whole(config: pytest.Config) -> bool:
    """Whether nobody said what to run; the processes of xdist are told the paths that the first one found."""
    if hasattr(config, "workerinput"):
        return bool(config.workerinput.get("whole"))
    return config.args_source is config.ArgsSource.TESTPATHS and not config.getoption("--engine")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of xdist what kind of run it belongs to."""
    node.workerinput["whole"] = _is_whole(node.config)
