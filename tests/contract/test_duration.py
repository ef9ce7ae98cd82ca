"""How long the suite takes is said before it begins."""

from __future__ import annotations

import pytest

from bakeoff.contract.duration import announcement
from bakeoff.plugins import Plugins
from tests.contract.test_pytest_plugin import run


def test_engines_that_are_killed_take_longer() -> None:
    infos = {name: Plugins().engine(name).info() for name in ("inline", "dramatiq")}

    assert announcement([("inline", infos["inline"])]) == "the contract suite on inline: about 2 min"
    assert announcement(list(infos.items())) == (
        "the contract suite on inline, dramatiq: about 8 min, most of it waiting for leases "
        '(-m "not recovery" leaves that out)'
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [([], True), (["-m", "not recovery"], False), (["--config", "recommended"], False)],
)
def test_of_a_part_or_with_long_leases_nobody_knows(options: list[str], told: bool) -> None:
    """``--setup-plan`` lists what would be done, and starts nothing."""
    done = run("--engine=inline", "--setup-plan", *options)

    assert ("the contract suite on inline" in done.stdout) is told
