"""What belongs to one pytest session: its contestants and its results."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.contract.contestants import Contestant, Wishes, find_contestants
from bakeoff.contract.results import Results
from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass

_CONTESTANTS = pytest.StashKey[dict[str, Contestant]]()
_RESULTS = pytest.StashKey[Results]()

#: The matrix that somebody looked at, for the engines of this repository.
REVIEWED = Path(__file__).with_name("reviewed.json")


def prepare(config: pytest.Config) -> None:
    """Find engines and reviewed matrix, and try the files that are written at the end.

    Raises:
        UsageError: If the command line asks for something that does not exist or cannot be done.
    """
    contestants_of(config)
    results_of(config)
    if config.getoption("--contract-store"):
        _try_to_write(reviewed_file(config), "--contract-store")
    if target := config.getoption("--contract-json"):
        _try_to_write(Path(target), "--contract-json")


def _try_to_write(file: Path, option: str) -> None:
    """Leave an existing file as it is, and no new one behind."""
    existed = file.exists()
    try:
        with file.open("a"):
            pass
        if not existed:
            file.unlink()
    except OSError as error:
        raise UsageError(f"{option} {file}: it cannot be written: {error.strerror}") from error


def contestants_of(config: pytest.Config) -> dict[str, Contestant]:
    """``{label: contestant}`` of this session.

    Raises:
        UsageError: If the command line asks for something that does not exist.
    """
    if _CONTESTANTS not in config.stash:
        found = find_contestants(
            Wishes(
                engines=config.getoption("--engine") or (),
                plugins=config.getoption("--engine-plugin"),
                sets=config.getoption("--set"),
                raws=config.getoption("--set-raw"),
                broker=config.getoption("--broker"),
                bridge=config.getoption("--bridge") or IN_PROCESS,
                config_class=config.getoption("--config") or ConfigClass.CI,
            )
        )
        config.stash[_CONTESTANTS] = {contestant.label: contestant for contestant in found}
    return config.stash[_CONTESTANTS]


def results_of(config: pytest.Config) -> Results:
    """The results of this session so far.

    Raises:
        UsageError: If there is no reviewed matrix to compare with, and none is to be stored.
    """
    if _RESULTS not in config.stash:
        file = reviewed_file(config)
        if not file.exists() and not config.getoption("--contract-store"):
            raise UsageError(f"--contract-reviewed {file}: no such file; --contract-store would write it")
        config.stash[_RESULTS] = Results(file)
    return config.stash[_RESULTS]


def reviewed_file(config: pytest.Config) -> Path:
    """Where the reviewed matrix is read and stored."""
    given = config.getoption("--contract-reviewed")
    return Path(given) if given else REVIEWED
