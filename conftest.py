"""bakeoff's own tests wait more than they compute, so four of their files run at a time."""

from __future__ import annotations

import os

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
    everything = config.args_source is config.ArgsSource.TESTPATHS
    if not everything or config.getoption("--engine") or not config.pluginmanager.has_plugin("xdist"):
        return
    if config.option.numprocesses is None and not config.option.usepdb and not config.option.collectonly:
        config.option.numprocesses = _AT_A_TIME
        config.option.dist = "loadfile"
