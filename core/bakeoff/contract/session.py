"""What belongs to one pytest session: its contestants and its results."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.contract.contestants import Contestant, Wishes, find_contestants
from bakeoff.contract.results import Results

_CONTESTANTS = pytest.StashKey[dict[str, Contestant]]()
_RESULTS = pytest.StashKey[Results]()

#: The matrix that somebody looked at, for the engines of this repository.
REVIEWED = Path(__file__).with_name("reviewed.json")


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
                config_class=config.getoption("--config"),
            )
        )
        config.stash[_CONTESTANTS] = {contestant.label: contestant for contestant in found}
    return config.stash[_CONTESTANTS]


def results_of(config: pytest.Config) -> Results:
    """The results of this session so far."""
    if _RESULTS not in config.stash:
        config.stash[_RESULTS] = Results(reviewed_file(config))
    return config.stash[_RESULTS]


def reviewed_file(config: pytest.Config) -> Path:
    """Where the reviewed matrix is read and stored."""
    given = config.getoption("--contract-reviewed")
    return Path(given) if given else REVIEWED
